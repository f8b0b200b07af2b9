import type { tf as types } from '../tf.js';
import { type Native, replaceKernel } from './backend.js';

/** Below it, oneDNN reserves too little: the channels that AVX-512 takes at once. */
const CHANNELS = 16;

/**
 * The gradient of a 1 x 1 kernel with strides, of the places that it reads alone. With strides, oneDNN
 * writes past its memory if there are few input channels, and the process dies or goes on with
 * other values: https://github.com/uxlfoundation/oneDNN/issues/6035 (in TensorFlow 2.21).
 */
export function mendStridedPointwise({ tf, active }: Native): void {
  replaceKernel(tf, 'Conv2DBackpropFilter', (original) => (args) => {
    const { x } = args.inputs as { readonly x: types.Tensor4D };
    const { strides, dataFormat, filterShape } = args.attrs as unknown as Attributes;
    const [high, wide] = Array.isArray(strides) ? strides : [strides, strides];
    const [height, width, channels] = filterShape;
    const affected = height * width === 1 && high * wide > 1 && channels < CHANNELS;
    if (!active() || !affected || dataFormat !== 'NHWC') return original(args);
    // Nothing of a 1 x 1 kernel is over the edge, with either padding.
    const read = tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, high, wide, 1]);
    const gradient = original({
      ...args,
      inputs: { ...args.inputs, x: read },
      attrs: { ...args.attrs, strides: 1, pad: 'valid' },
    });
    read.dispose();
    return gradient;
  });
}

interface Attributes {
  readonly strides: number | readonly [number, number];
  readonly dataFormat: string;
  readonly filterShape: readonly [number, number, number, number];
}
