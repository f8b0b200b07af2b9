import { tf } from '../tf.js';

/** tfjs-node's backend, as far as it hands values over. */
interface Backend {
  /**
   * TensorFlow's numbers of the tensors: those that it has not got yet are copied to it. The backend of
   * plain JavaScript has no such numbers.
   */
  getInputTensorIds?(tensors: readonly tf.Tensor[]): number[];
}

/**
 * A tensor of values that the caller goes on to use: TensorFlow has a copy when this returns. `tf.tensor`
 * alone reads the array in place when the tensor is first used, or asked for its values.
 */
export function uploaded(values: Float32Array, shape: readonly number[]): tf.Tensor {
  // A method of the backend that its types keep to itself.
  const backend = tf.backend() as unknown as Backend;
  if (backend.getInputTensorIds === undefined)
    return tf.tensor(values.slice(), [...shape], 'float32');
  const tensor = tf.tensor(values, [...shape], 'float32');
  backend.getInputTensorIds([tensor]);
  return tensor;
}
