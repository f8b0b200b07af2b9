import { TuttiError } from '@tutti/runtime';
import type { tf } from '../tf.js';

/**
 * The mean over what is there of each example: [n, ...] to [n].
 * @param mask of the first dimensions of the values, 0 for what does not count. An example without
 *   anything that counts has 0.
 * @throws TuttiError PROGRAM_FAILED for a mask of another shape
 */
export function meanOfRest(values: tf.Tensor, mask?: tf.Tensor): tf.Tensor {
  if (mask === undefined) return values.rank <= 1 ? values : values.mean(axesFrom(1, values.rank));
  const [sum, weight] = maskedSums(values, mask);
  return sum.div(weight.maximum(1));
}

/**
 * For each example the sum of the values that count, [n], and how many do. Where values have more
 * dimensions than the mask, their mean over those is taken first.
 */
export function maskedSums(values: tf.Tensor, mask: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const kept = onMask(values, mask);
  const counts = mask.cast('float32');
  const axes = axesFrom(1, mask.rank);
  const summed = (tensor: tf.Tensor) => (axes.length === 0 ? tensor : tensor.sum(axes));
  return [summed(kept.mul(counts)), summed(counts)];
}

/** Values as a mask sees them: the mean over the dimensions that it does not have. */
function onMask(values: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const fits = mask.shape.every((extent, at) => extent === values.shape[at]);
  if (!fits || mask.rank > values.rank)
    throw new TuttiError(
      'PROGRAM_FAILED',
      `The mask is [${mask.shape.join(', ')}], but there is something to compare for each of [${values.shape.join(', ')}]`,
      {
        remedy: 'Give the mask the first dimensions of the labels: [n, steps] for a sequence.',
        details: { mask: [...mask.shape], values: [...values.shape] },
      },
    );
  return values.rank === mask.rank ? values : values.mean(axesFrom(mask.rank, values.rank));
}

/** A mask with the dimensions of what it is laid over. */
export function spread(mask: tf.Tensor, over: tf.Tensor): tf.Tensor {
  const ones = Array.from({ length: over.rank - mask.rank }, () => 1);
  return mask.cast('float32').reshape([...mask.shape, ...ones]);
}

function axesFrom(first: number, rank: number): number[] {
  return Array.from({ length: rank - first }, (_, at) => at + first);
}
