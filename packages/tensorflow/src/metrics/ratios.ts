import { spread } from '../losses/example-mean.js';
import { tf } from '../tf.js';
import { labelsLike, onlyClass } from './labels.js';
import type { MetricInput, MetricOptions, SummedMetric } from './metric.js';

/** How much of what is said to be so is so. */
export const precision = (options: MetricOptions): SummedMetric =>
  ratioOf(options, 'precision', ({ hits, said }) => [hits, said]);

/** How much of what is so is said to be. */
export const recall = (options: MetricOptions): SummedMetric =>
  ratioOf(options, 'recall', ({ hits, meant }) => [hits, meant]);

/** The harmonic mean of precision and recall, over all examples. */
export const f1 = (options: MetricOptions): SummedMetric =>
  ratioOf(options, 'f1', ({ hits, said, meant }) => [hits.mul(2), said.add(meant)]);

/** Counts of each example, [n]. */
interface Counts {
  readonly hits: tf.Tensor;
  readonly said: tf.Tensor;
  readonly meant: tf.Tensor;
}

function ratioOf(
  options: MetricOptions,
  who: string,
  parts: (counts: Counts) => readonly [tf.Tensor, tf.Tensor],
): SummedMetric {
  return {
    form: 'ratio',
    tensors(input) {
      const [over, under] = parts(countsOf(input, options, who));
      return { over, under };
    },
  };
}

/**
 * Each number says yes above the threshold. With a class, and where the classes exclude each other,
 * the most probable one is what is said, as in a confusion matrix.
 */
function countsOf(
  input: MetricInput,
  { threshold, class: only }: MetricOptions,
  who: string,
): Counts {
  const { yTrue, separate, mask } = input;
  const probabilities = input.probabilities();
  const labels = labelsLike(yTrue, probabilities, who).greater(0.5).cast('float32');
  const chosen =
    only !== undefined && !separate && threshold === undefined
      ? oneHotOfLargest(probabilities)
      : probabilities.greater(threshold ?? 0.5).cast('float32');
  const [said, meant] = [chosen, labels].map((each) => {
    const counted = onlyClass(each, only);
    return mask === undefined ? counted : counted.mul(spread(mask, counted));
  });
  return { hits: total(said!.mul(meant!)), said: total(said!), meant: total(meant!) };
}

function oneHotOfLargest(probabilities: tf.Tensor): tf.Tensor {
  const classes = probabilities.shape[probabilities.rank - 1]!;
  const chosen = probabilities.argMax(-1).flatten() as tf.Tensor1D;
  return tf.oneHot(chosen, classes).cast('float32').reshape(probabilities.shape);
}

function total(values: tf.Tensor): tf.Tensor {
  if (values.rank <= 1) return values;
  return values.sum(Array.from({ length: values.rank - 1 }, (_, at) => at + 1));
}
