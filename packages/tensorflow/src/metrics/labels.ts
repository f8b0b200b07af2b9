import { sameButForOnes } from '../losses/label-shapes.js';
import { alike, oneHot } from '../losses/losses.js';
import { tf } from '../tf.js';

export function classesOf({ rank, shape }: tf.Tensor): number {
  return rank > 1 ? shape[rank - 1]! : 1;
}

/** Labels in the shape of predictions, as float32; class numbers become one-hot. */
export function labelsLike(yTrue: tf.Tensor, yPred: tf.Tensor, who: string): tf.Tensor {
  const rows = yPred.shape.slice(0, -1);
  const numbers = classesOf(yPred) > 1 && sameButForOnes(yTrue.shape, rows);
  if (!numbers || sameButForOnes(yTrue.shape, yPred.shape)) return alike(yTrue, yPred, who);
  return oneHot(yTrue, yPred, who);
}

/** One class of the last dimension alone, as a dimension of length 1. */
export function onlyClass(tensor: tf.Tensor, index: number | undefined): tf.Tensor {
  if (index === undefined) return tensor;
  return tf.gather(tensor, tf.tensor1d([index], 'int32'), tensor.rank - 1);
}
