import { checkKeys, closest, TuttiError } from '@tutti/runtime';
import { tf } from '../tf.js';
import { type BatchTensors, rowOf } from '../tfjs/batch-tensors.js';
import { FUNCTION, withoutState } from '../tfjs/outside-state.js';
import { createBroadcastCheck } from './accidental-broadcast.js';
import { meanOfRest } from './example-mean.js';
import { labelsAs } from './label-shapes.js';

export type LossName =
  | 'binaryCrossentropy'
  | 'categoricalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'meanAbsoluteError'
  | 'meanSquaredError';

/**
 * One loss per example: from labels [n, ...] and predictions [n, ...] to [n]. No mean over the
 * examples: their losses are summed over all workers, then divided by their number.
 */
export type LossFunction = (yTrue: tf.Tensor, yPred: tf.Tensor, batch: BatchTensors) => tf.Tensor;

/**
 * A name expects probabilities where it is about classes (as Keras does); with `fromLogits` the
 * model gives their logits.
 */
export type Loss =
  | LossName
  | { readonly name: LossName; readonly fromLogits?: boolean }
  | LossFunction;

/** Softmax cross-entropy of logits [m, classes] and one-hot (or soft) labels, one for each row. */
export type SoftmaxCrossEntropy = (labels: tf.Tensor2D, logits: tf.Tensor2D) => tf.Tensor1D;

export interface ResolvedLoss {
  /** The loss starts from logits, if the model can leave out a final softmax. */
  readonly prefersLogits: boolean;
  /**
   * Reads the labels, so it is apart from `perExample`, which only makes operations.
   * @throws TuttiError BAD_DATA for labels that mean nothing; PROGRAM_FAILED for a loss function that
   *   broadcasts them
   */
  check(labelled: Omit<Labelled, 'yPred'>, predictions: readonly number[]): void;
  perExample(labelled: Labelled, softmaxSkipped: boolean): tf.Tensor;
}

/** What a loss or metric compares. */
export interface Labelled {
  /** The field of the labels. */
  readonly field: string;
  readonly yTrue: tf.Tensor | undefined;
  readonly yPred: tf.Tensor;
  readonly batch: BatchTensors;
  /** What counts of each example; all, if not given. */
  readonly mask?: tf.Tensor | undefined;
}

/** @throws TuttiError BAD_PROGRAM for an unknown name */
export function resolveLoss(
  loss: Loss,
  softmaxCrossEntropy: SoftmaxCrossEntropy = tf.metrics.categoricalCrossentropy as never,
): ResolvedLoss {
  if (typeof loss === 'function')
    return {
      prefersLogits: false,
      check: createBroadcastCheck(loss, 'The loss function'),
      perExample({ yTrue, yPred, batch }) {
        const values = withoutState('The loss function', FUNCTION, () =>
          loss(yTrue as tf.Tensor, yPred, batch),
        );
        return checkPerExample(values, yPred, 'The loss function');
      },
    };
  const { name, fromLogits = false } = typeof loss === 'string' ? { name: loss } : loss;
  if (!NAMES.includes(name)) {
    const near = closest(String(name), NAMES);
    throw new TuttiError('BAD_PROGRAM', `There is no loss "${name}"`, {
      remedy: `${near === undefined ? '' : `Did you mean ${near}? `}Use ${NAMES.join(', ')}, or a function (yTrue, yPred) => one loss per example.`,
    });
  }
  if (typeof loss === 'object') checkOptions(loss);
  const categorical =
    name === 'categoricalCrossentropy' || name === 'sparseCategoricalCrossentropy';
  return {
    prefersLogits: categorical && !fromLogits,
    check(labelled, predictions) {
      if (labelled.yTrue === undefined) return;
      if (name === 'sparseCategoricalCrossentropy')
        checkClassNumbers(labelled, predictions[predictions.length - 1]!);
      if (name === 'binaryCrossentropy')
        checkLabels(labelled, (label) => label >= 0 && label <= 1, {
          what: `which ${name} takes for no probability`,
          remedy: 'Give 0, 1 or a number between them.',
        });
    },
    perExample({ field, yTrue, yPred, mask }, softmaxSkipped) {
      if (yTrue === undefined)
        throw new TuttiError('PROGRAM_FAILED', `The loss ${name} needs labels`, {
          remedy: `Let the dataset give a field "${field}".`,
        });
      if (categorical) {
        checkClasses(yPred);
        const labels = name.startsWith('sparse') ? oneHot(yTrue, yPred) : alike(yTrue, yPred, name);
        if (!fromLogits && !softmaxSkipped)
          return meanOfRest(tf.metrics.categoricalCrossentropy(labels, yPred), mask);
        const classes = yPred.shape[yPred.rank - 1]!;
        const rows = softmaxCrossEntropy(
          labels.reshape([-1, classes]),
          yPred.reshape([-1, classes]),
        );
        return meanOfRest(rows.reshape(yPred.shape.slice(0, -1)), mask);
      }
      if (name === 'meanSquaredError' || name === 'meanAbsoluteError')
        return ERRORS[name](yTrue, yPred, mask);
      const labels = alike(yTrue, yPred, name);
      if (!fromLogits) {
        // It gives the mean over the last dimension, of which a mask may count each by itself.
        const each = (tensor: tf.Tensor) =>
          mask?.rank === tensor.rank ? tensor.expandDims(-1) : tensor;
        return meanOfRest(tf.metrics.binaryCrossentropy(each(labels), each(yPred)), mask);
      }
      return meanOfRest(
        tf.losses.sigmoidCrossEntropy(labels, yPred, undefined, 0, tf.Reduction.NONE),
        mask,
      );
    },
  };
}

const NAMES: readonly LossName[] = [
  'binaryCrossentropy',
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
  'meanAbsoluteError',
  'meanSquaredError',
];

function checkOptions(loss: Exclude<Loss, LossName | LossFunction>): void {
  const { name, fromLogits = false } = loss;
  checkKeys(`The loss ${name}`, loss, { name: true, fromLogits: true });
  if (typeof fromLogits !== 'boolean')
    throw new TuttiError('BAD_PROGRAM', `fromLogits of the loss ${name} is ${fromLogits}`, {
      remedy: 'Give true if the model ends without softmax or sigmoid, else leave it out.',
    });
  if (fromLogits && Object.hasOwn(ERRORS, name))
    throw new TuttiError('BAD_PROGRAM', `The loss ${name} has no fromLogits: it is of numbers`, {
      remedy: 'Leave it out.',
    });
}

/** The mean over what is predicted for an example; also metrics. */
export const ERRORS = {
  meanAbsoluteError: (yTrue: tf.Tensor, yPred: tf.Tensor, mask?: tf.Tensor): tf.Tensor =>
    meanOfRest(tf.abs(tf.sub(yPred, alike(yTrue, yPred, 'meanAbsoluteError'))), mask),
  meanSquaredError: (yTrue: tf.Tensor, yPred: tf.Tensor, mask?: tf.Tensor): tf.Tensor =>
    meanOfRest(tf.squaredDifference(yPred, alike(yTrue, yPred, 'meanSquaredError')), mask),
} as const;

/** @throws TuttiError PROGRAM_FAILED unless there is one value for each example */
export function checkPerExample(values: tf.Tensor, yPred: tf.Tensor, who: string): tf.Tensor {
  const examples = yPred.shape[0]!;
  if (values instanceof tf.Tensor && values.rank === 1 && values.shape[0] === examples)
    return values;
  const got = values instanceof tf.Tensor ? `a tensor [${values.shape.join(', ')}]` : typeof values;
  throw new TuttiError('PROGRAM_FAILED', `${who} gave ${got} for ${examples} examples`, {
    remedy: `Return a tensor [${examples}], one value for each example, without a mean over them.`,
  });
}

/** Labels as float32 in the shape of the predictions. */
export function alike(yTrue: tf.Tensor, yPred: tf.Tensor, loss: string): tf.Tensor {
  const remedy =
    loss === 'categoricalCrossentropy'
      ? 'Use sparseCategoricalCrossentropy for labels that are class numbers.'
      : 'Give labels in the shape of the predictions.';
  return labelsAs(yPred.shape, yTrue, yPred, { who: loss, remedy }).cast('float32');
}

/** The softmax of a single class is always 1. */
function checkClasses({ rank, shape }: tf.Tensor): void {
  const classes = rank > 1 ? shape[rank - 1]! : 1;
  if (classes < 2)
    throw new TuttiError('PROGRAM_FAILED', `The model has ${classes} class`, {
      remedy:
        'Give its last layer a unit for each class; for a single yes or no use binaryCrossentropy.',
    });
}

export function oneHot(
  yTrue: tf.Tensor,
  yPred: tf.Tensor,
  who = 'sparseCategoricalCrossentropy',
): tf.Tensor {
  const classes = yPred.shape[yPred.rank - 1]!;
  const numbers = labelsAs(yPred.shape.slice(0, -1), yTrue, yPred, {
    who: `${who}, one class number for each row of predictions,`,
    remedy: 'Use categoricalCrossentropy for one-hot labels.',
  });
  return tf.oneHot(numbers.cast('int32').flatten(), classes).cast('float32').reshape(yPred.shape);
}

/** @throws TuttiError BAD_DATA for labels that are none of `classes` */
export function checkClassNumbers(labelled: Omit<Labelled, 'yPred'>, classes: number): void {
  const isClass = (label: number) => Number.isInteger(label) && label >= 0 && label < classes;
  checkLabels(labelled, isClass, {
    what: `but the model has ${classes} classes`,
    remedy: `Give class numbers from 0 to ${classes - 1}; \`mask\` says what does not count.`,
  });
}

function checkLabels(
  { field, yTrue, mask }: Omit<Labelled, 'yPred'>,
  isLabel: (label: number) => boolean,
  { what, remedy }: { readonly what: string; readonly remedy: string },
): void {
  const labels = yTrue!.dataSync();
  const counts = mask?.size === labels.length ? mask.dataSync() : undefined;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (counts?.[i] === 0 || isLabel(label)) continue;
    throw new TuttiError('BAD_DATA', `A label is ${label}, ${what}`, {
      remedy,
      details: { field, row: rowOf(yTrue!, i), label },
    });
  }
}
