import { type Native, replaceGradient } from './backend.js';

/** One native operation in place of five (IsNan, Greater, Fill, Select, Mul). */
export function accelerateRelu({ tf, backend, float, activeBackward }: Native): void {
  replaceGradient(tf, 'Relu', () => ({
    kernelName: 'Relu',
    // The output tells the sign of the input as well, and the input need not be kept.
    inputsToSave: [],
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({
      x: () =>
        activeBackward() && dy.dtype === 'float32'
          ? backend.executeSingleOutput('ReluGrad', [float], [dy, y!])
          : tf.mul(dy, tf.step(tf.cast(y!, 'float32'))),
    }),
  }));
}
