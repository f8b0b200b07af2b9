import { checkKeys, closest, TuttiError } from '@tutti/runtime';
import type { MetricDirection, MetricForm } from '@tutti/worker';
import { directionOf } from '@tutti/worker/internal';
import { createBroadcastCheck } from '../losses/accidental-broadcast.js';
import { checkPerExample, type Labelled, type Loss } from '../losses/losses.js';
import type { tf } from '../tf.js';
import { FUNCTION, withoutState } from '../tfjs/outside-state.js';
import { accuracy, binaryAccuracy, exactMatch, topKAccuracy } from './accuracy.js';
import { areaUnderCurve } from './area-under-curve.js';
import { meanAbsoluteError, meanSquaredError, r2, rootMeanSquaredError } from './errors.js';
import { classesOf } from './labels.js';
import {
  MEAN,
  type Metric,
  type MetricFunction,
  type MetricInput,
  type MetricName,
  type MetricOptions,
  type RatioFunction,
  type SummedMetric,
  sum,
} from './metric.js';
import { perplexity } from './perplexity.js';
import { f1, precision, recall } from './ratios.js';

/** The predictions for a batch, and what they are compared with. */
export interface Predicted extends Omit<Labelled, 'yPred'> {
  readonly outputs: tf.Tensor;
  /** The outputs are the logits of the predictions. */
  readonly softmaxSkipped: boolean;
}

/** A metric of one output. */
export interface ResolvedMetric {
  readonly name: string;
  /** Whether it is a function of the program, which is called anew for each batch. */
  readonly own: boolean;
  readonly form: MetricForm | undefined;
  readonly better: MetricDirection;
  /** Whether its labels may be class numbers. */
  readonly ofClasses: boolean;
  /** The tensors that its sums are made of, by name. */
  tensors(predicted: Predicted): Readonly<Record<string, tf.Tensor>>;
  /** Its sums over the examples, by part. */
  sums(tensors: Readonly<Record<string, tf.Tensor>>): Readonly<Record<string, number>>;
}

const BY_NAME: Readonly<Record<MetricName, (options: MetricOptions) => SummedMetric>> = {
  accuracy,
  binaryAccuracy,
  exactMatch,
  topKAccuracy,
  precision,
  recall,
  f1,
  auc: areaUnderCurve,
  meanAbsoluteError,
  meanSquaredError,
  rootMeanSquaredError,
  r2,
  perplexity,
};

const OF_NUMBERS: readonly MetricName[] = [
  'meanAbsoluteError',
  'meanSquaredError',
  'rootMeanSquaredError',
  'r2',
];

/** Which options each takes, besides `as`. */
const TAKES: Readonly<Partial<Record<MetricName, readonly (keyof MetricOptions)[]>>> = {
  binaryAccuracy: ['threshold'],
  exactMatch: ['threshold'],
  topKAccuracy: ['k'],
  precision: ['threshold', 'class'],
  recall: ['threshold', 'class'],
  f1: ['threshold', 'class'],
  auc: ['thresholds', 'class'],
};

/**
 * @param loss decides what `accuracy` is, as in tfjs, and whether predictions are logits
 * @throws TuttiError BAD_PROGRAM for an unknown name or option, a function without a name, a name used
 *   twice
 */
export function resolveMetrics(metrics: readonly Metric[], loss: Loss): ResolvedMetric[] {
  const resolved = metrics.map((metric) => resolveMetric(metric, loss));
  const twice = resolved.find(({ name }, at) =>
    resolved.some((other, before) => before < at && other.name === name),
  );
  if (twice !== undefined)
    throw bad(
      `Two metrics are called "${twice.name}"`,
      "Give each a name of its own: { name: 'precision', class: 1, as: 'precisionOfOnes' }.",
    );
  return resolved;
}

function resolveMetric(metric: Metric, loss: Loss): ResolvedMetric {
  if (typeof metric === 'function') {
    if (metric.name === '') throw bad('A metric function has no name', 'Declare it by name.');
    return ownMean(metric);
  }
  const given = typeof metric === 'string' ? { name: metric } : metric;
  if ('ratio' in given) return ownRatio(given.name, given.ratio);
  const { name, ...options } = given as { readonly name: MetricName } & MetricOptions;
  if (!Object.hasOwn(BY_NAME, name)) {
    const known = Object.keys(BY_NAME);
    const near = closest(String(name), known);
    throw bad(
      `There is no metric "${name}"`,
      `${near === undefined ? '' : `Did you mean ${near}? `}Use ${known.join(', ')}, or a function (yTrue, yPred) => one value per example.`,
    );
  }
  const allowed = Object.fromEntries(
    ['name', 'as', ...(TAKES[name] ?? [])].map((key) => [key, true]),
  ) as Record<keyof typeof given, true>;
  checkKeys(`The metric ${name}`, given, allowed);
  checkOptions(name, options);
  const summed = BY_NAME[name](options);
  return {
    name: options.as ?? name,
    own: false,
    form: summed.form,
    better: directionOf(name),
    ofClasses: !OF_NUMBERS.includes(name),
    tensors(predicted) {
      const input = inputOf(predicted, loss, name);
      const tensors = summed.tensors(input);
      const mean = tensors[MEAN];
      if (mean !== undefined) checkPerExample(mean, predicted.outputs, `Metric "${name}"`);
      return tensors;
    },
    sums(tensors) {
      const values = Object.fromEntries(
        Object.entries(tensors).map(([part, tensor]) => [part, tensor.dataSync()]),
      );
      return summed.sums?.(values) ?? summedUp(values);
    },
  };
}

function checkOptions(
  name: MetricName,
  { threshold = 0.5, k = 1, thresholds = 2, class: only = 0 }: MetricOptions,
) {
  const whole = { k: [k, 1], thresholds: [thresholds, 2], class: [only, 0] } as const;
  for (const [option, [value, least]] of Object.entries(whole))
    if (!Number.isSafeInteger(value) || value < least)
      throw bad(
        `${option} of the metric ${name} is ${value}`,
        `Give a whole number from ${least}.`,
      );
  if (typeof threshold !== 'number' || !(threshold >= 0 && threshold <= 1))
    throw bad(`threshold of the metric ${name} is ${threshold}`, 'Give a number from 0 to 1.');
}

const summedUp = (values: Readonly<Record<string, ArrayLike<number>>>) =>
  Object.fromEntries(Object.entries(values).map(([part, each]) => [part, sum(each)]));

const ofTensors = (tensors: Readonly<Record<string, tf.Tensor>>) =>
  summedUp(
    Object.fromEntries(Object.entries(tensors).map(([part, each]) => [part, each.dataSync()])),
  );

function inputOf(predicted: Predicted, loss: Loss, name: MetricName): MetricInput {
  const { field, yTrue, outputs, softmaxSkipped, mask } = predicted;
  if (yTrue === undefined)
    throw new TuttiError('PROGRAM_FAILED', `The metric ${name} needs labels`, {
      remedy: `Let the dataset give a field "${field}".`,
    });
  const { name: lossName, fromLogits = false } = typeof loss === 'object' ? loss : { name: loss };
  const separate = classesOf(outputs) === 1 || lossName === 'binaryCrossentropy';
  const predictions = () => predictionsOf(predicted);
  return {
    yTrue,
    outputs,
    logits: softmaxSkipped || fromLogits,
    predictions,
    probabilities() {
      if (!fromLogits) return predictions();
      return separate ? outputs.sigmoid() : outputs.softmax();
    },
    separate,
    mask,
  };
}

function predictionsOf({ outputs, softmaxSkipped }: Predicted): tf.Tensor {
  return softmaxSkipped ? outputs.softmax() : outputs;
}

/** A function of the program that gives one value for each example. */
function ownMean(metric: MetricFunction): ResolvedMetric {
  const who = `Metric "${metric.name}"`;
  const check = createBroadcastCheck(metric, who);
  return {
    name: metric.name,
    own: true,
    form: undefined,
    better: directionOf(metric.name),
    ofClasses: false,
    tensors(predicted) {
      const { yTrue, batch } = predicted;
      const yPred = predictionsOf(predicted);
      check(predicted, yPred.shape);
      const values = withoutState(who, FUNCTION, () => metric(yTrue as tf.Tensor, yPred, batch));
      return { [MEAN]: checkPerExample(values, yPred, who) };
    },
    sums: ofTensors,
  };
}

/** A function of the program that gives two values for each example. */
function ownRatio(name: string, ratio: RatioFunction): ResolvedMetric {
  const who = `Metric "${name}"`;
  if (typeof ratio !== 'function' || typeof name !== 'string')
    throw bad(
      `${who} is no function`,
      "Give { name: 'errorsPerWord', ratio: (yTrue, yPred) => [over, under] }.",
    );
  const check = createBroadcastCheck((...given) => ratio(...given)[0], who);
  return {
    name,
    own: true,
    form: 'ratio',
    better: directionOf(name),
    ofClasses: false,
    tensors(predicted) {
      const { yTrue, batch } = predicted;
      const yPred = predictionsOf(predicted);
      check(predicted, yPred.shape);
      const [over, under] = withoutState(who, FUNCTION, () =>
        ratio(yTrue as tf.Tensor, yPred, batch),
      );
      return {
        over: checkPerExample(over, yPred, who),
        under: checkPerExample(under, yPred, who),
      };
    },
    sums: ofTensors,
  };
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
