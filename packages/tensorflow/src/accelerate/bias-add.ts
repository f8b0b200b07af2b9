import { type Native, replaceGradient, replaceKernel, type TensorInfo } from './backend.js';

/** x[..., c] + b[c], by far the most frequent broadcast: BiasAdd and BiasAddGrad. */
export function accelerateBiasAdd(native: Native): void {
  const { tf, backend, float, text } = native;
  const attributes = [float, text('data_format', 'NHWC')];
  const fits = (a: TensorInfo, b: TensorInfo) =>
    a.dtype === 'float32' &&
    b.dtype === 'float32' &&
    b.shape.length === 1 &&
    a.shape.length >= 2 &&
    a.shape[a.shape.length - 1] === b.shape[0];

  replaceKernel(tf, 'Add', (original) => (args) => {
    const { a, b } = args.inputs;
    return native.active() && fits(a!, b!)
      ? backend.executeSingleOutput('BiasAdd', attributes, [a!, b!])
      : original(args);
  });
  replaceGradient(tf, 'Add', (original) => ({
    ...original,
    gradFunc: (dy, saved, attrs) => {
      const [a, b] = saved;
      if (!native.activeBackward() || !fits(a!, b!)) return original.gradFunc(dy, saved, attrs);
      return {
        a: () => dy.clone(),
        b: () => backend.executeSingleOutput('BiasAddGrad', attributes, [dy]),
      };
    },
  }));
}
