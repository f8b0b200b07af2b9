import { zeros } from '../arrays.js';
import { EdgeError } from '../error.js';
import { type LayerKind, product, type Table } from './layer.js';

/** Row x of W [words, width] for each whole number x. */
export const embedding: LayerKind = {
  // words, width
  numbers: 2,
  looksUp: true,
  open([shape], [words, width]) {
    return {
      shape: [...shape!, width!],
      weights: [[words!, width!]],
      run([x], [table]: readonly Table[]) {
        const y = zeros(product(shape!) * width!);
        for (const [at, word] of x!.entries()) {
          if (!(Number.isInteger(word) && word >= 0 && word < words!))
            throw new EdgeError(
              'BAD_DATA',
              `Value ${at} of the example is ${word}, no word of the model`,
              `Give it whole numbers from 0 to ${words! - 1}.`,
            );
          y.set(table!.subarray(word * width!, (word + 1) * width!), at * width!);
        }
        return y;
      },
    };
  },
};
