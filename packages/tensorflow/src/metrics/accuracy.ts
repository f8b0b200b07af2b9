import { maskedSums, meanOfRest } from '../losses/example-mean.js';
import { labelsAs } from '../losses/label-shapes.js';
import { tf } from '../tf.js';
import { classesOf, labelsLike } from './labels.js';
import { MEAN, type MetricInput, type MetricOptions, type SummedMetric } from './metric.js';

const LIKE_PREDICTIONS = 'Give labels in the shape of the predictions.';

/**
 * As tfjs chooses it (`compile` of its LayersModel): of each number for itself, above one half or not,
 * where there is one number or the loss is `binaryCrossentropy`; else of the largest of the classes.
 */
export const accuracy = (): SummedMetric => ({
  tensors: (input) => ({ [MEAN]: meanOfRest(rightOf(input), input.mask) }),
});

/** Each number for itself, also where there are several classes. */
export const binaryAccuracy = ({ threshold = 0.5 }: MetricOptions): SummedMetric => ({
  tensors: (input) => ({
    [MEAN]: meanOfRest(eachRight(input, threshold, 'binaryAccuracy'), input.mask),
  }),
});

/** Whether all that is said of an example is right. */
export const exactMatch = ({ threshold = 0.5 }: MetricOptions): SummedMetric => ({
  tensors(input) {
    const right = input.separate ? eachRight(input, threshold, 'exactMatch') : rightOf(input);
    const axes = Array.from({ length: right.rank - 1 }, (_, at) => at + 1);
    if (input.mask === undefined) return { [MEAN]: axes.length === 0 ? right : right.min(axes) };
    const [hits, counted] = maskedSums(right, input.mask);
    return { [MEAN]: hits.greaterEqual(counted).cast('float32') };
  },
});

/** Whether fewer than k classes are more probable than the right one. */
export const topKAccuracy = ({ k = 5 }: MetricOptions): SummedMetric => ({
  tensors({ yTrue, outputs, mask }) {
    const labels = labelsLike(yTrue, outputs, 'topKAccuracy');
    const right = labels.mul(outputs).sum(-1, true);
    // What is no number is before all.
    const behind = outputs.lessEqual(right).cast('float32').sum(-1);
    const before = behind.sub(classesOf(outputs)).neg();
    return { [MEAN]: meanOfRest(before.less(k).cast('float32'), mask) };
  },
});

function rightOf({ yTrue, outputs, logits, separate }: MetricInput): tf.Tensor {
  const labels = (shape: readonly number[], remedy: string) =>
    labelsAs(shape, yTrue, outputs, { who: 'accuracy', remedy });
  if (separate) {
    const said = tf.greater(outputs, logits ? 0 : 0.5).cast('float32');
    const meant = labels(outputs.shape, LIKE_PREDICTIONS);
    return tf.equal(said, meant.cast('float32')).cast('float32');
  }
  // The largest logit is the largest probability.
  const said = outputs.argMax(-1);
  const meant =
    yTrue.size === outputs.size
      ? labels(outputs.shape, LIKE_PREDICTIONS).argMax(-1)
      : labels(said.shape, 'Give one class number for each row of predictions.').cast('int32');
  return tf.equal(said, meant).cast('float32');
}

function eachRight(input: MetricInput, threshold: number, who: string): tf.Tensor {
  const probabilities = input.probabilities();
  const said = probabilities.greater(threshold);
  const meant = labelsLike(input.yTrue, probabilities, who).greater(0.5);
  return said.equal(meant).cast('float32');
}
