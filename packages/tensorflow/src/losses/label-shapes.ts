import { TuttiError } from '@tutti/runtime';
import type { tf } from '../tf.js';

/** Whether values of one shape are those of the other, but for dimensions of length 1 in an example. */
export function sameButForOnes(one: readonly number[], other: readonly number[]): boolean {
  const kept = ([examples, ...rest]: readonly number[]) => [
    examples,
    ...rest.filter((extent) => extent !== 1),
  ];
  const [a, b] = [kept(one), kept(other)];
  return a.length === b.length && a.every((extent, at) => extent === b[at]);
}

/**
 * Labels in the shape in which they are compared. [n] fits [n, 1]: dimensions of length 1 come and go;
 * nothing else is reshaped, and nothing is broadcast.
 * @param who compares them, such as "The loss meanSquaredError"
 * @throws TuttiError PROGRAM_FAILED with both shapes
 */
export function labelsAs(
  shape: readonly number[],
  yTrue: tf.Tensor,
  yPred: tf.Tensor,
  { who, remedy }: { readonly who: string; readonly remedy: string },
): tf.Tensor {
  if (sameButForOnes(yTrue.shape, shape)) return yTrue.reshape([...shape]);
  const wanted = shape.join(', ') === yPred.shape.join(', ') ? '' : ` as [${shape.join(', ')}]`;
  throw new TuttiError(
    'PROGRAM_FAILED',
    `${who} compares labels${wanted} with predictions [${yPred.shape.join(', ')}], but the labels are [${yTrue.shape.join(', ')}]`,
    { remedy, details: { labels: [...yTrue.shape], predictions: [...yPred.shape] } },
  );
}
