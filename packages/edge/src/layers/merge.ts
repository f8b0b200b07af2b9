import { zeros } from '../arrays.js';
import { check } from '../error.js';
import { type LayerKind, product } from './layer.js';

export const add = elementWise((a, b) => a + b);
export const multiplication = elementWise((a, b) => a * b);

function elementWise(combine: (a: number, b: number) => number): LayerKind {
  return {
    merges: true,
    open(inputs) {
      const [first] = inputs;
      check(inputs.every((shape) => shape.join() === first!.join()));
      return {
        shape: first!,
        run: (values) => values.reduce((a, b) => a.map((value, i) => combine(value, b[i]!))),
      };
    },
  };
}

/** Side by side along one dimension, counted from 0. */
export const concatenate: LayerKind = {
  // the dimension
  numbers: 1,
  merges: true,
  open(inputs, [axis]) {
    const others = (shape: readonly number[]) => shape.with(axis!, 0).join();
    const [first] = inputs;
    check(inputs.every((shape) => axis! < shape.length && others(shape) === others(first!)));
    const runs = inputs.map((shape) => product(shape.slice(axis)));
    const rows = product(first!.slice(0, axis));
    const shape = first!.with(
      axis!,
      inputs.reduce((sum, each) => sum + each[axis!]!, 0),
    );
    return {
      shape,
      run(values) {
        const y = zeros(product(shape));
        for (let row = 0, at = 0; row < rows; row++)
          for (const [i, run] of runs.entries()) {
            y.set(values[i]!.subarray(row * run, (row + 1) * run), at);
            at += run;
          }
        return y;
      },
    };
  },
};
