import type { FloatSource } from '@tutti/worker';
import { tf } from '../tf.js';

/** tfjs-node's backend, if it is that, with the addon that Tutti builds, if it is that. */
interface Backend {
  readonly binding?: {
    copyValues?(tensor: number, from: number, target: Float32Array): void;
  };
  /** TensorFlow's numbers of the tensors. */
  getInputTensorIds?(tensors: readonly tf.Tensor[]): number[];
}

/** The values of a float32 tensor, until it is disposed of: where TensorFlow has them, if the addon copies from there. */
export function floatSource(tensor: tf.Tensor): FloatSource | Float32Array {
  // What the types of the backend keep to themselves.
  const backend = tf.backend() as unknown as Backend;
  const { binding } = backend;
  if (binding?.copyValues === undefined || backend.getInputTensorIds === undefined)
    return tensor.dataSync() as Float32Array;
  const [id] = backend.getInputTensorIds([tensor]);
  return {
    length: tensor.size,
    copyTo: (target, from) => binding.copyValues!(id!, from, target),
  };
}
