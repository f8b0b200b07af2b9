import { zeros } from '../arrays.js';
import { type LayerKind, product } from './layer.js';

/** act(x W + b) over the last dimension; W [inputs, units]. */
export const dense: LayerKind = {
  // units
  numbers: 1,
  activations: 1,
  open([shape], [units], [activation]) {
    const width = shape!.at(-1) ?? 1;
    const rows = product(shape!) / width;
    return {
      shape: [...shape!.slice(0, -1), units!],
      weights: [[width, units!], [units!]],
      run([x], [kernel, bias]) {
        const y = zeros(rows * units!);
        for (let row = 0; row < rows; row++)
          y.set(
            multiply(x!.subarray(row * width, (row + 1) * width), kernel!, bias!),
            row * units!,
          );
        activation!(y, units!);
        return y;
      },
    };
  },
};

/** x W + b in double precision, for one row. */
export function multiply(
  x: ArrayLike<number>,
  kernel: Float32Array,
  bias: ArrayLike<number>,
): Float64Array {
  const y = Float64Array.from(bias);
  for (let i = 0, at = 0; i < x.length; i++) {
    const value = x[i]!;
    for (let j = 0; j < y.length; j++) y[j]! += value * kernel[at++]!;
  }
  return y;
}
