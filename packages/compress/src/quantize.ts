import { fromBrain, toBrainUp } from './half.js';

/** Whole numbers times the scale of their group. */
export interface Quantized {
  readonly quanta: Int8Array;
  /** The bits of a bfloat16 for each group. */
  readonly scales: Uint16Array;
  readonly group: number;
}

/**
 * Rounds to the nearest of 2 `most` + 1 values around 0, evenly spread up to the largest magnitude of
 * each group of neighbours; the last group may be shorter.
 * @param most 127 for int8, 7 for int4
 */
export function quantize(values: Float32Array, most: number, group: number): Quantized {
  const scales = new Uint16Array(Math.ceil(values.length / group));
  const quanta = new Int8Array(values.length);
  for (let g = 0; g < scales.length; g++) {
    const part = values.subarray(g * group, (g + 1) * group);
    const largest = part.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    scales[g] = toBrainUp(largest / most);
    const scale = fromBrain(scales[g]!);
    if (scale === 0) continue;
    for (const [i, value] of part.entries()) quanta[g * group + i] = Math.round(value / scale);
  }
  return { quanta, scales, group };
}
