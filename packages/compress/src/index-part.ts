import { product, type Shape } from '@tutti/edge/internal';
import { createByteWriter } from './byte-writer.js';
import { encodeWhole } from './encode-tensor.js';
import type { PartSpec } from './parts.js';

/**
 * The part that reads rows of another: row |index| - 1, negated where the index is negative, zeros where it is 0. The index is
 * written as differences from what its neighbours let expect, where that takes fewer bytes.
 * @param of rows of `block` values
 * @param rows how many there are
 * @param shape of the index
 */
export function gatherPart(
  of: PartSpec,
  rows: number,
  index: Int32Array,
  shape: Shape,
  block: number,
): PartSpec {
  const signed = index.some((at) => at <= 0);
  const modulus = signed ? 2 * rows + 1 : rows;
  const numbers = index.map((at) => (signed ? at + rows : at - 1));
  const widths = shape.map((_, axis) => product(shape.slice(axis + 1)));
  let best: { width: number; differences: Float32Array; bytes: number } | undefined;
  for (const width of new Set([0, ...widths])) {
    const differences = differencesOf(numbers, width, modulus);
    const writer = createByteWriter();
    encodeWhole(writer, differences);
    if (best === undefined || writer.length < best.bytes)
      best = { width, differences, bytes: writer.length };
  }
  const { width, differences } = best!;
  return {
    kind: 'gather',
    operands: [of, { shape, values: differences, exact: 'whole' }],
    numbers: [block, width, signed ? 1 : 0],
  };
}

/** What is left of each number, modulo `modulus` and as near to 0 as can be. */
function differencesOf(numbers: Int32Array, width: number, modulus: number): Float32Array {
  const at = (i: number) => numbers[i] ?? 0;
  return Float32Array.from(numbers, (number, i) => {
    const predicted = width ? at(i - 1) + at(i - width) - at(i - width - 1) : 0;
    const left = (((number - predicted) % modulus) + modulus) % modulus;
    return left < modulus / 2 ? left : left - modulus;
  });
}
