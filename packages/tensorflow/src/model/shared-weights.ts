import type { Sharing } from '@tutti/parameters';
import { tf } from '../tf.js';

/** The sharing maps as TensorFlow operations, so that automatic differentiation sums all uses. */
export interface SharedWeights {
  /** From one tensor for each stored parameter to one for each weight. */
  expand(stored: readonly tf.Tensor[]): tf.Tensor[];
  dispose(): void;
}

export function createSharedWeights(sharing: Sharing): SharedWeights {
  const constants: tf.Tensor[] = [];
  const constant = (values: Int32Array | Float32Array, dtype: 'int32' | 'float32') => {
    const tensor = tf.keep(tf.tensor1d(values, dtype));
    constants.push(tensor);
    return tensor;
  };
  const positions = new Map(sharing.parameters.map(({ name }, at) => [name, at]));
  const maps = sharing.maps.map((map) => {
    const at = positions.get(map.parameter)!;
    if (map.kind === 'identity') return (stored: readonly tf.Tensor[]) => stored[at]!;
    if (map.kind === 'transpose') return (stored: readonly tf.Tensor[]) => stored[at]!.transpose();
    const index = constant(map.index, 'int32') as tf.Tensor1D;
    const factor = map.factor && constant(map.factor, 'float32');
    return (stored: readonly tf.Tensor[]) => {
      const gathered = stored[at]!.gather(index);
      return (factor === undefined ? gathered : gathered.mul(factor)).reshape([...map.shape]);
    };
  });
  return {
    expand: (stored) => maps.map((map) => map(stored)),
    dispose: () => tf.dispose(constants),
  };
}
