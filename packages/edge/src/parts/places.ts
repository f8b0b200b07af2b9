import { check } from '../error.js';
import { concatenate } from '../layers/merge.js';
import { type PartKind, strided, stridesOf } from './part.js';

/** Dimension i of the result is dimension numbers[i] of the operand. */
export const transpose: PartKind = {
  operands: 1,
  numbers: 'list',
  open([from], permutation) {
    const rank = from!.length;
    check(permutation.length === rank && from!.every((_, axis) => permutation.includes(axis)));
    const strides = stridesOf(from!);
    const shape = permutation.map((axis) => from![axis]!);
    const moved = permutation.map((axis) => strides[axis]!);
    return { shape, make: ([values]) => strided(values!, shape, moved) };
  },
};

/** From a place, the first half of the numbers, on; the shape is the other half. */
export const slice: PartKind = {
  operands: 1,
  numbers: 'list',
  open([from], numbers) {
    const rank = from!.length;
    const shape = numbers.slice(rank);
    check(
      shape.length === rank &&
        shape.every((extent, axis) => numbers[axis]! + extent <= from![axis]!),
    );
    const strides = stridesOf(from!);
    const first = strides.reduce((place, stride, axis) => place + stride * numbers[axis]!, 0);
    return { shape, make: ([values]) => strided(values!, shape, strides, first) };
  },
};

/** Side by side along one dimension. */
export const concat: PartKind = {
  // the dimension
  numbers: 1,
  open(operands, numbers) {
    check(operands.length);
    const { shape, run } = concatenate.open(operands, numbers, []);
    return { shape, make: (values) => run(values, []) };
  },
};
