import { zeros } from '../arrays.js';
import { check } from '../error.js';
import { product } from '../layers/layer.js';
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
    check(Number.isInteger(rows));
    const shape = block! > 1 ? [...places!, block!] : places!;
    const modulus = signed ? 2 * rows + 1 : rows;
    return {
      shape,
      make([values, differences]) {
        const y = zeros(product(shape));
        const index = new Float64Array(differences!.length);
        const at = (i: number) => index[i] ?? 0;
        for (let i = 0; i < index.length; i++) {
          check(Number.isInteger(differences![i]));
          const predicted = width ? at(i - 1) + at(i - width) - at(i - width - 1) : 0;
          index[i] = remainder(differences![i]! + predicted, modulus);
          const number = signed ? index[i]! - rows : index[i]! + 1;
          const first = (Math.abs(number) - 1) * block!;
          if (number)
            for (let k = 0; k < block!; k++)
              y[i * block! + k] = Math.sign(number) * values![first + k]!;
        }
        return y;
      },
    };
  },
};
