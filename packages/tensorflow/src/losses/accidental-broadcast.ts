import { createRandom, TuttiError } from '@tutti/runtime';
import { tf } from '../tf.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';
import { withRandom } from '../tfjs/seeded.js';
import { tidied } from '../tfjs/tidied.js';
import { sameButForOnes } from './label-shapes.js';

type PerExample = (yTrue: tf.Tensor, yPred: tf.Tensor, batch: BatchTensors) => tf.Tensor;

/**
 * Looks once whether a function of the program takes labels [n] and predictions [n, 1], which tfjs
 * broadcasts to [n, n], and so compares each example with the labels of all.
 *
 * It is tried on two made-up examples: there, what it gives for the first must not depend on the
 * second, unless it does so as well where the labels have the shape of the predictions. Then it means
 * to (a loss over pairs).
 */
export function createBroadcastCheck(run: PerExample, who: string) {
  let done = false;

  /** What it gives for the first of the first `count` examples. */
  function firstOf(
    count: 1 | 2,
    batch: BatchTensors,
    labels: {
      readonly field: string;
      readonly shape: readonly number[];
      readonly dtype: tf.Tensor['dtype'];
    },
    predictions: readonly number[],
  ): number {
    const filled = ([, ...rest]: readonly number[], values: readonly number[]) =>
      tf.stack(values.slice(0, count).map((value) => tf.fill([...rest], value)));
    const some = Object.entries(batch).map(([name, field]) => [name, field.slice(0, count)]);
    const yTrue = filled(labels.shape, [0, 1]).cast(labels.dtype);
    const given = { ...Object.fromEntries(some), [labels.field]: yTrue };
    // The random numbers are its own: what the program draws must not depend on this.
    const values = withRandom(createRandom('broadcast'), () =>
      run(yTrue, filled(predictions, [0.3, 0.6]), given),
    );
    return values.rank === 1 && values.shape[0] === count ? values.dataSync()[0]! : Number.NaN;
  }

  /** @throws TuttiError PROGRAM_FAILED with both shapes */
  return (
    { field, yTrue, batch }: { field: string; yTrue: tf.Tensor | undefined; batch: BatchTensors },
    predictions: readonly number[],
  ) => {
    if (done || yTrue === undefined || yTrue.shape[0]! < 2) return;
    done = true;
    const { shape, dtype } = yTrue;
    if (shape.length === predictions.length || !sameButForOnes(shape, predictions)) return;
    /** By how much the second example changes what comes of the first. */
    const influence = (labels: readonly number[]) =>
      tidied(() => {
        const [alone, both] = ([1, 2] as const).map((count) =>
          firstOf(count, batch, { field, shape: labels, dtype }, predictions),
        );
        return Math.abs(alone! - both!);
      });
    let broadcast: boolean;
    try {
      broadcast = influence(shape) > 1e-3 && influence(predictions) < 1e-3;
    } catch {
      // Made-up examples may be none that it can take.
      return;
    }
    if (!broadcast) return;
    const [labels, predicted] = [shape, predictions].map((each) => `[${each.join(', ')}]`);
    throw new TuttiError(
      'PROGRAM_FAILED',
      `${who} compares each example with the labels of all: the labels are ${labels}, the predictions ${predicted}, and tfjs broadcasts the two`,
      {
        remedy: `Begin it with yTrue = yTrue.reshape(yPred.shape), or let the dataset give labels ${predicted}.`,
        details: { labels: [...shape], predictions: [...predictions] },
      },
    );
  };
}
