import { tf } from '../tf.js';

/** Gives numbers in [0, 1) to layers that are random: other ones at each call. */
export type Noise = (shape: readonly number[]) => tf.Tensor;

/** As tfjs does: from one number of `Math.random` on. */
export const drawNoise: Noise = (shape) => tf.randomUniform([...shape]);
