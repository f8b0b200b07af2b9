import type { tf } from '../tf.js';

/** What a layer gets instead of a weight W that is applied or looked up. */
export interface FactoredWeight {
  /** x W, for x [..., rows]. */
  apply(x: tf.Tensor): tf.Tensor;
  /** Rows of W, for their numbers [k], int32. */
  lookUp(ids: tf.Tensor1D): tf.Tensor;
}
