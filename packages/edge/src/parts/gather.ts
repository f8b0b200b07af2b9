import { zeros } from '../arrays.js';
import { check } from '../error.js';
import { product } from '../layers/layer.js';
import { abs, floor } from '../math.js';
import { type PartKind, remainder } from './part.js';

/**
 * Rows of `block` neighbours of the first operand, of which the second says which, flat. What it has are the differences
 * from a prediction: the place to the left, and what was added to the place above its left neighbour; none if `width` is 0.
 */
export const gather: PartKind = {
  operands: 2,
  // block, width of a row of the index, whether rows may be negated or absent
  numbers: 3,
  open([from, places], [block, width, signed]) {
    const rows = product(from!) / block!;
    check(rows % 1 === 0);
    const modulus = signed ? 2 * rows + 1 : rows;
    return {
      shape: block! > 1 ? [...places!, block!] : places!,
      held: places!,
      make([values, differences]) {
        const index = new Int32Array(differences!.length);
        const at = (i: number) => index[i] ?? 0;
        for (let i = 0; i < index.length; i++) {
          check(differences![i]! % 1 === 0);
          const predicted = width ? at(i - 1) + at(i - width) - at(i - width - 1) : 0;
          index[i] = remainder(differences![i]! + predicted, modulus);
        }
        const value = (i: number) => {
          const number = index[floor(i / block!)]! - (signed ? rows : -1);
          return (
            number && (number < 0 ? -1 : 1) * values![(abs(number) - 1) * block! + (i % block!)]!
          );
        };
        // Neighbours share a number: those of a table may be looked up.
        const part = (begin: number, end: number) =>
          zeros(end - begin).map((_, i) => value(begin + i));
        return block! > 1 ? { subarray: part } : part(0, index.length);
      },
    };
  },
};
