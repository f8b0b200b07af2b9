import { check } from '../error.js';
import { product } from '../layers/layer.js';
import { floor, max, min } from '../math.js';
import { byElements, type PartKind } from './part.js';

/** The lower half of a matrix, row after row, to all of it: symmetric, or skew-symmetric, whose diagonal is not there, but 0. */
export const triangle: PartKind = {
  operands: 1,
  // rows, whether it is skew-symmetric
  numbers: 2,
  open([from], [rows, skew]) {
    const before = (row: number) => (row * (skew ? row - 1 : row + 1)) / 2;
    check(product(from!) === before(rows!));
    return byElements([rows!, rows!], (i, [values]) => {
      const [row, column] = [floor(i / rows!), i % rows!];
      if (skew && row === column) return 0;
      const value = values![before(max(row, column)) + min(row, column)]!;
      return skew && column > row ? -value : value;
    });
  },
};
