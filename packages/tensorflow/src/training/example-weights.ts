import { TuttiError } from '@tutti/runtime';
import { sameButForOnes } from '../losses/label-shapes.js';
import { tf } from '../tf.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';
import type { ClassWeight, Head } from './heads.js';

/** What an example of one output weighs, [n]; undefined where all weigh 1. */
export interface ExampleWeights {
  /**
   * Reads the labels.
   * @throws TuttiError BAD_DATA for labels that are no classes
   */
  check(yTrue: tf.Tensor | undefined, predictions: readonly number[]): void;
  of(batch: BatchTensors, predictions: readonly number[], training: boolean): tf.Tensor | undefined;
}

/** Classes weigh while training alone, as in tfjs and Keras; a field of the data always does. */
export function createExampleWeights(head: Head): ExampleWeights {
  const { field, classWeight, exampleWeight } = head;
  const weights = classWeight === undefined ? undefined : checkedWeights(classWeight);
  return {
    check(yTrue, predictions) {
      if (weights === undefined || yTrue === undefined) return;
      const classes = classesIn(predictions);
      const surplus = Object.keys(weights).find((number) => Number(number) >= classes);
      if (surplus !== undefined)
        throw new TuttiError(
          'BAD_PROGRAM',
          `classWeight names class ${surplus}, but the model has ${classes} classes`,
          { remedy: `Name classes from 0 to ${classes - 1}.` },
        );
      const numbers = classNumbers(yTrue, predictions).dataSync();
      const row = numbers.findIndex(
        (number) => !Number.isInteger(number) || number < 0 || number >= classes,
      );
      if (row >= 0)
        throw new TuttiError(
          'BAD_DATA',
          `A label is ${numbers[row]}, which is no class that could have a weight`,
          { remedy: `Give class numbers from 0 to ${classes - 1}.`, details: { field, row } },
        );
    },
    of(batch, predictions, training) {
      const byExample = exampleWeight === undefined ? undefined : weightField(batch, exampleWeight);
      const yTrue = batch[field];
      if (weights === undefined || !training || yTrue === undefined) return byExample;
      const each = Array.from(
        { length: classesIn(predictions) },
        (_, number) => weights[number] ?? 1,
      );
      const byClass = tf.gather(
        tf.tensor1d(each, 'float32'),
        classNumbers(yTrue, predictions).cast('int32'),
      );
      return byExample === undefined ? byClass : byExample.mul(byClass);
    },
  };
}

function checkedWeights(given: ClassWeight): Readonly<Record<number, number>> {
  const weights = { ...(given as Readonly<Record<number, number>>) };
  for (const [number, weight] of Object.entries(weights)) {
    if (!/^\d+$/.test(number))
      throw new TuttiError(
        'BAD_PROGRAM',
        `classWeight names "${number}", which is no class number`,
        {
          remedy: 'Name classes by their numbers: classWeight: { 0: 1, 1: 5 }.',
        },
      );
    if (!Number.isFinite(weight) || weight < 0)
      throw new TuttiError('BAD_PROGRAM', `classWeight of class ${number} is ${weight}`, {
        remedy: 'Give a number from 0.',
      });
  }
  return weights;
}

/** A single unit tells two classes apart. */
function classesIn(predictions: readonly number[]): number {
  return Math.max(2, predictions.length > 1 ? predictions[predictions.length - 1]! : 1);
}

/** The class of each example, [n]. */
function classNumbers(yTrue: tf.Tensor, predictions: readonly number[]): tf.Tensor {
  const [examples = 0] = predictions;
  if (sameButForOnes(yTrue.shape, [examples])) return yTrue.reshape([examples]);
  const oneHot = predictions.length === 2 && sameButForOnes(yTrue.shape, predictions);
  if (oneHot) return yTrue.argMax(-1);
  throw new TuttiError(
    'PROGRAM_FAILED',
    `classWeight is for one class of each example, but the labels are [${yTrue.shape.join(', ')}]`,
    {
      remedy:
        'Give exampleWeight, a field of the dataset with a weight for each example, or a loss that is a function.',
    },
  );
}

function weightField(batch: BatchTensors, name: string): tf.Tensor {
  const field = batch[name];
  if (field === undefined)
    throw new TuttiError(
      'PROGRAM_FAILED',
      `exampleWeight is the field "${name}", but the dataset gives ${Object.keys(batch).join(', ')}`,
      { remedy: 'Give each example a number there, or name another field.' },
    );
  const [examples = 0] = field.shape;
  if (field.size !== examples)
    throw new TuttiError(
      'PROGRAM_FAILED',
      `exampleWeight reads one number of each example, but "${name}" is [${field.shape.join(', ')}]`,
      { remedy: 'Give one weight for each example; `mask` says what counts within one.' },
    );
  return field.cast('float32').reshape([examples]);
}
