import { type GradientFunction, type Native, replaceGradient } from './backend.js';

/** One native operation in place of five (IsNan, Greater, Fill, Select, Mul). */
export function accelerateRelu({ tf, backend, float, activeBackward }: Native): void {
  replaceGradient(tf, 'Relu', (original) => {
    // Of another copy of this package in the process, which knows whether its operations are in effect.
    const replaced = original.outputsToSave?.[0] === true && original.inputsToSave?.length === 0;
    const plain: GradientFunction = (dy, [y]) => ({
      x: () => tf.mul(dy, tf.step(tf.cast(y!, 'float32'))),
    });
    const otherwise = replaced ? original.gradFunc : plain;
    return {
      kernelName: 'Relu',
      // The output tells the sign of the input as well, and the input need not be kept.
      inputsToSave: [],
      outputsToSave: [true],
      gradFunc: (dy, saved, attributes) =>
        activeBackward() && dy.dtype === 'float32'
          ? { x: () => backend.executeSingleOutput('ReluGrad', [float], [dy, saved[0]!]) }
          : otherwise(dy, saved, attributes),
    };
  });
}
