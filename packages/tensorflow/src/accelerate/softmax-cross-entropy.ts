import type { SoftmaxCrossEntropy } from '../losses/losses.js';
import type { Tf, tf as types } from '../tf.js';
import type { Native } from './backend.js';

/** In tfjs' own operations: -sum(labels * logSoftmax(logits)). */
export function plainSoftmaxCrossEntropy(tf: Tf): SoftmaxCrossEntropy {
  return (labels, logits) => tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1));
}

/** Value and gradient from one native operation. */
export function nativeSoftmaxCrossEntropy({ tf, backend, float }: Native): SoftmaxCrossEntropy {
  return (labels, logits) => {
    const loss = tf.customGrad((...args: unknown[]) => {
      const [input, save] = args as [types.Tensor, (tensors: types.Tensor[]) => void];
      const [value, difference] = backend.executeMultipleOutputs(
        'SoftmaxCrossEntropyWithLogits',
        [float],
        [input, labels],
        2,
      );
      save([difference!]);
      return {
        value: value!,
        gradFunc: (dy: types.Tensor, saved: types.Tensor[]) =>
          tf.mul(saved[0]!, dy.reshape([-1, 1])),
      };
    });
    return loss(logits) as types.Tensor1D;
  };
}
