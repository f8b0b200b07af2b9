import { zeros } from '../arrays.js';
import { check } from '../error.js';
import { dense } from '../layers/dense.js';
import { ofRank, product } from '../layers/layer.js';
import { floor } from '../math.js';
import { byElements, type PartKind, strided, stridesOf } from './part.js';

type Matrix = readonly [number, number];

/** So many multiplications cost as much as a value. */
const MULTIPLICATIONS = 128;

/** [a, b] and [b, c] to [a, c]. */
export const matmul: PartKind = {
  operands: 2,
  open([left, right]) {
    const [, inner] = ofRank<Matrix>(left!, 2);
    const [rows, columns] = ofRank<Matrix>(right!, 2);
    check(inner === rows);
    const { shape, run } = dense.open([left!], [columns], [() => {}]);
    return {
      shape,
      work: (product(left!) * columns) / MULTIPLICATIONS,
      make: ([x, kernel]) => run([x!], [kernel!, zeros(columns)]),
    };
  },
};

/** [a, b] and [c, d] to [a c, b d]: each value of the first times all of the second. */
export const kronecker: PartKind = {
  operands: 2,
  open([left, right]) {
    const [down, across] = ofRank<Matrix>(left!, 2);
    const [height, width] = ofRank<Matrix>(right!, 2);
    const columns = across * width;
    return byElements([down * height, columns], (i, [a, b]) => {
      const [row, column] = [floor(i / columns), i % columns];
      const outer = floor(row / height) * across + floor(column / width);
      return a![outer]! * b![(row % height) * width + (column % width)]!;
    });
  },
};

/** Times a tensor of as many dimensions, whose extents are the same or 1. */
export const scale: PartKind = {
  operands: 2,
  open([shape, by]) {
    const isOne = (axis: number) => by![axis] === 1;
    check(
      shape!.length === by!.length && shape!.every((e, axis) => isOne(axis) || e === by![axis]),
    );
    const strides = stridesOf(by!).map((stride, axis) => (isOne(axis) ? 0 : stride));
    return {
      shape: shape!,
      make([values, factors]) {
        const spread = strided(factors!, shape!, strides);
        return values!.map((value, i) => value * spread[i]!);
      },
    };
  },
};
