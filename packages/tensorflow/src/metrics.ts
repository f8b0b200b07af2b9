import { TuttiError } from '@tutti/runtime';
import type { BatchTensors } from './batch-tensors.js';
import { checkPerExample, ERRORS, meanOfRest } from './losses.js';
import { tf } from './tf.js';

/** One value per example: from labels and predictions [n, ...] to [n]. Its name is reported. */
export type MetricFunction = (yTrue: tf.Tensor, yPred: tf.Tensor, batch: BatchTensors) => tf.Tensor;

export type MetricName = 'accuracy' | 'meanAbsoluteError' | 'meanSquaredError';

export type Metric = MetricName | MetricFunction;

/** Sums over the examples, by the name of the metric. */
export type MetricSums = (
  yTrue: tf.Tensor | undefined,
  outputs: tf.Tensor,
  batch: BatchTensors,
  softmaxSkipped: boolean,
) => Record<string, number>;

/**
 * @param logits whether the predictions of the model are logits: decides what 0 means to `accuracy`
 * @throws TuttiError BAD_PROGRAM for an unknown name, a function without one, a name used twice
 */
export function resolveMetrics(metrics: readonly Metric[], logits: boolean): MetricSums {
  const byName: Readonly<Record<MetricName, MetricFunction>> = {
    accuracy: (yTrue, yPred) => accuracy(yTrue, yPred, logits),
    ...ERRORS,
  };
  const named = metrics.map((metric): [string, MetricFunction] => {
    if (typeof metric === 'function') {
      if (metric.name === '') throw bad('A metric function has no name', 'Declare it by name.');
      return [metric.name, metric];
    }
    if (!Object.hasOwn(byName, metric))
      throw bad(
        `There is no metric "${metric}"`,
        `Use ${Object.keys(byName).join(', ')}, or a function (yTrue, yPred) => one value per example.`,
      );
    return [metric, labelled(metric, byName[metric])];
  });
  const twice = named.find(([name], at) => named.findIndex(([other]) => other === name) !== at);
  if (twice !== undefined)
    throw bad(`Two metrics are called "${twice[0]}"`, 'Give each a name of its own.');

  return (yTrue, outputs, batch, softmaxSkipped) => {
    let probabilities: tf.Tensor | undefined;
    return Object.fromEntries(
      named.map(([name, metric], at) => {
        // The largest logit is the largest probability.
        const asIs = !softmaxSkipped || metrics[at] === 'accuracy';
        if (!asIs) probabilities ??= tf.softmax(outputs);
        const yPred = asIs ? outputs : probabilities!;
        const values = metric(yTrue as tf.Tensor, yPred, batch);
        return [name, sum(checkPerExample(values, yPred, `Metric "${name}"`).dataSync())];
      }),
    );
  };
}

export function metricNames(metrics: readonly Metric[]): string[] {
  return metrics.map((metric) => (typeof metric === 'function' ? metric.name : metric));
}

/** In float64 and in order, so that it does not depend on how TensorFlow adds. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

function labelled(name: MetricName, metric: MetricFunction): MetricFunction {
  return (yTrue: tf.Tensor | undefined, yPred, batch) => {
    if (yTrue !== undefined) return metric(yTrue, yPred, batch);
    throw new TuttiError('PROGRAM_FAILED', `The metric ${name} needs labels`, {
      remedy: 'Let the dataset give a field "y".',
    });
  };
}

function accuracy(yTrue: tf.Tensor, yPred: tf.Tensor, logits: boolean): tf.Tensor {
  const classes = yPred.rank > 1 ? yPred.shape[yPred.rank - 1]! : 1;
  if (classes === 1) {
    const said = tf.greater(yPred, logits ? 0 : 0.5);
    const meant = tf.greater(yTrue.reshape(yPred.shape), 0.5);
    return meanOfRest(tf.equal(said, meant).cast('float32'));
  }
  const said = yPred.argMax(-1);
  const meant =
    yTrue.size === yPred.size ? yTrue.argMax(-1) : yTrue.cast('int32').reshape(said.shape);
  return meanOfRest(tf.equal(said, meant).cast('float32'));
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
