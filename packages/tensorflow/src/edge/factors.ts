import type { Weight } from '@tutti/compress';
import type { Conversion } from './conversion.js';

/**
 * A dense layer of one factor of a kernel, without bias and activation.
 * @returns the number of its result
 */
export function emitFactor(
  { emit }: Conversion,
  input: number,
  factor: Weight,
  units: number,
): number {
  return emit({
    kind: 'dense',
    inputs: [input],
    numbers: [units],
    activations: [{ name: 'linear' }],
    weights: [factor, new Float32Array(units)],
  });
}
