import { product } from '../layers/layer.js';
import { add as addition } from '../layers/merge.js';
import { byElements, type PartKind } from './part.js';

/** Two of one shape. */
export const add: PartKind = {
  operands: 2,
  open(operands) {
    const { shape, run } = addition.open(operands, [], []);
    return { shape, make: (values) => run(values, []) };
  },
};

/** Over the last dimension. */
export const sum: PartKind = {
  operands: 1,
  open([from]) {
    const width = from!.at(-1)!;
    return {
      ...byElements(from!.slice(0, -1), (i, [values]) =>
        Float64Array.from(values!.subarray(i * width, (i + 1) * width)).reduce((a, b) => a + b),
      ),
      work: product(from!),
    };
  },
};
