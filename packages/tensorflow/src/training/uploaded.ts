import { tf } from '../tf.js';

/** tfjs-node's backend, as far as it hands values over. */
interface Backend {
  /** TensorFlow's numbers of the tensors: those that it has not got yet are copied to it. */
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
}

/**
 * A tensor of values that the caller goes on to use: TensorFlow has a copy when this returns. `tf.tensor`
 * alone reads the array in place when the tensor is first used, or asked for its values.
 */
export function uploaded(values: Float32Array, shape: readonly number[]): tf.Tensor {
  const tensor = tf.tensor(values, [...shape], 'float32');
  // A method of the backend that its types keep to itself.
  (tf.backend() as unknown as Backend).getInputTensorIds([tensor]);
  return tensor;
}
