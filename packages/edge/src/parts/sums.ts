import { zeros } from '../arrays.js';
import { product } from '../layers/layer.js';
import { add as addition } from '../layers/merge.js';
import type { PartKind } from './part.js';

/** Two of one shape. */
export const add: PartKind = {
  operands: 2,
  numbers: 0,
  open(operands) {
    const { shape, run } = addition.open(operands, [], []);
    return { shape, make: (values) => run(values, []) };
  },
};

/** Over the last dimension. */
export const sum: PartKind = {
  operands: 1,
  numbers: 0,
  open([from]) {
    const width = from!.at(-1)!;
    const shape = from!.slice(0, -1);
    return {
      shape,
      work: product(from!),
      make: ([values]) =>
        zeros(product(shape)).map((_, i) =>
          Float64Array.from(values!.subarray(i * width, (i + 1) * width)).reduce((a, b) => a + b),
        ),
    };
  },
};
