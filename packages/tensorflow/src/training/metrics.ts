import { TuttiError } from '@tutti/runtime';
import { tf } from '../tf.js';
import { createBroadcastCheck } from './accidental-broadcast.js';
import type { BatchTensors } from './batch-tensors.js';
import { labelsAs } from './label-shapes.js';
import { checkPerExample, ERRORS, type Loss, meanOfRest } from './losses.js';
import { FUNCTION, withoutState } from './outside-state.js';

/** One value per example: from labels and predictions [n, ...] to [n]. Its name is reported. */
export type MetricFunction = (yTrue: tf.Tensor, yPred: tf.Tensor, batch: BatchTensors) => tf.Tensor;

export type MetricName = 'accuracy' | 'meanAbsoluteError' | 'meanSquaredError';

export type Metric = MetricName | MetricFunction;

export interface Metrics {
  /** One value for each example, by the name of the metric: of those that we make, not the program. */
  own(predicted: Predicted): ReadonlyMap<string, tf.Tensor>;
  /**
   * Sums over the examples, by the name of the metric.
   * @param known what `own` gave
   */
  sums(predicted: Predicted, known: ReadonlyMap<string, tf.Tensor>): Record<string, number>;
}

export interface Predicted {
  readonly batch: BatchTensors;
  readonly outputs: tf.Tensor;
  /** The outputs are the logits of the predictions. */
  readonly softmaxSkipped: boolean;
}

/**
 * @param loss decides what `accuracy` is, as in tfjs
 * @throws TuttiError BAD_PROGRAM for an unknown name, a function without one, a name used twice
 */
export function resolveMetrics(metrics: readonly Metric[], loss: Loss): Metrics {
  const byName: Readonly<Record<MetricName, MetricFunction>> = {
    accuracy: (yTrue, yPred) => accuracy(yTrue, yPred, loss),
    ...ERRORS,
  };
  const named = metrics.map((metric): [string, MetricFunction] => {
    if (typeof metric === 'function') {
      if (metric.name === '') throw bad('A metric function has no name', 'Declare it by name.');
      return [metric.name, checked(metric)];
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

  /** Computes those that `chosen` names. */
  function measure({ batch, outputs, softmaxSkipped }: Predicted, chosen: (at: number) => boolean) {
    let probabilities: tf.Tensor | undefined;
    return named.flatMap(([name, metric], at): [string, tf.Tensor][] => {
      if (!chosen(at)) return [];
      // The largest logit is the largest probability.
      const asIs = !softmaxSkipped || metrics[at] === 'accuracy';
      if (!asIs) probabilities ??= tf.softmax(outputs);
      const yPred = asIs ? outputs : probabilities!;
      const values = metric(batch.y as tf.Tensor, yPred, batch);
      return [[name, checkPerExample(values, yPred, `Metric "${name}"`)]];
    });
  }

  return {
    own: (predicted) => new Map(measure(predicted, (at) => typeof metrics[at] === 'string')),
    sums(predicted, known) {
      const others = new Map(measure(predicted, (at) => !known.has(named[at]![0])));
      return Object.fromEntries(
        named.map(([name]) => [name, sum((known.get(name) ?? others.get(name)!).dataSync())]),
      );
    },
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

/** A metric of the program. */
function checked(metric: MetricFunction): MetricFunction {
  const check = createBroadcastCheck(metric, `Metric "${metric.name}"`);
  return (yTrue, yPred, batch) => {
    check(yTrue, yPred.shape, batch);
    return withoutState(`Metric "${metric.name}"`, FUNCTION, () => metric(yTrue, yPred, batch));
  };
}

/**
 * As tfjs chooses it (`compile` of its LayersModel): of each number for itself, above one half or not,
 * where there is one number or the loss is `binaryCrossentropy`; else of the largest of the classes.
 */
function accuracy(yTrue: tf.Tensor, yPred: tf.Tensor, loss: Loss): tf.Tensor {
  const { name, fromLogits } = typeof loss === 'object' ? loss : { name: loss, fromLogits: false };
  const labels = (shape: readonly number[], remedy: string) =>
    labelsAs(shape, yTrue, yPred, { who: 'accuracy', remedy });
  if (classesOf(yPred) === 1 || name === 'binaryCrossentropy') {
    const said = tf.greater(yPred, fromLogits ? 0 : 0.5).cast('float32');
    const meant = labels(yPred.shape, 'Give labels in the shape of the predictions.');
    return meanOfRest(tf.equal(said, meant.cast('float32')).cast('float32'));
  }
  const said = yPred.argMax(-1);
  const meant =
    yTrue.size === yPred.size
      ? labels(yPred.shape, 'Give labels in the shape of the predictions.').argMax(-1)
      : labels(said.shape, 'Give one class number for each row of predictions.').cast('int32');
  return meanOfRest(tf.equal(said, meant).cast('float32'));
}

function classesOf({ rank, shape }: tf.Tensor): number {
  return rank > 1 ? shape[rank - 1]! : 1;
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
