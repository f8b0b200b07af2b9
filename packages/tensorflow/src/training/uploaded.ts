import { tf } from '../tf.js';

/** tfjs-node's backend, as far as it hands values over. */
interface Backend {
  /**
   * TensorFlow's numbers of the tensors: those that it has not got yet are handed to it. The backend of
   * plain JavaScript has no such numbers.
   */
  getInputTensorIds?(tensors: readonly tf.Tensor[]): number[];
}

/**
 * A tensor of values that nobody writes to until it is disposed of: TensorFlow reads them in place if they
 * start at a multiple of 64 bytes (`pageAlignedFloats`), and has a copy if not. It writes to memory of its own
 * alone. `tf.tensor` would give the array itself to whoever asks for the values.
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
