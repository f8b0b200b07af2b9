import { sameButForOnes } from '../losses/label-shapes.js';
import { alike, checkClassNumbers, type Labelled, oneHot } from '../losses/losses.js';
import { tf } from '../tf.js';

export function classesOf({ rank, shape }: tf.Tensor): number {
  return rank > 1 ? shape[rank - 1]! : 1;
}

/** Labels in the shape of predictions, as float32; class numbers become one-hot. */
export function labelsLike(yTrue: tf.Tensor, yPred: tf.Tensor, who: string): tf.Tensor {
  const numbers = areClassNumbers(yTrue.shape, yPred.shape);
  return numbers ? oneHot(yTrue, yPred, who) : alike(yTrue, yPred, who);
}

function areClassNumbers(labels: readonly number[], predictions: readonly number[]): boolean {
  const rows = predictions.slice(0, -1);
  if (rows.length === 0 || predictions.at(-1)! < 2) return false;
  return sameButForOnes(labels, rows) && !sameButForOnes(labels, predictions);
}

/** @throws TuttiError BAD_DATA for labels that are class numbers by their shape, and of no class */
export function checkClassLabels(
  labelled: Omit<Labelled, 'yPred'>,
  predictions: readonly number[],
): void {
  if (labelled.yTrue !== undefined && areClassNumbers(labelled.yTrue.shape, predictions))
    checkClassNumbers(labelled, predictions.at(-1)!);
}

/** One class of the last dimension alone, as a dimension of length 1. */
export function onlyClass(tensor: tf.Tensor, index: number | undefined): tf.Tensor {
  if (index === undefined) return tensor;
  return tf.gather(tensor, tf.tensor1d([index], 'int32'), tensor.rank - 1);
}
