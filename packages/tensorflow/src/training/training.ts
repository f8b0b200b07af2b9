import type { SharingRule } from '@tutti/parameters';
import { checkKeys, type Random, TuttiError } from '@tutti/runtime';
import type { Program, ProgramData } from '@tutti/worker';
import type { LayersModelFactory } from '../model/build-model.js';
import type { FunctionModel } from '../model/function-model.js';
import type { BatchTensors } from './batch-tensors.js';
import { createComputation } from './computation.js';
import type { Loss } from './losses.js';
import type { Metric } from './metrics.js';

// biome-ignore lint/suspicious/noExplicitAny: a function over any names fits here.
export type TrainingModel = LayersModelFactory | FunctionModel<any>;

export interface TrainingOptions {
  /** Shown in logs and used for folder names; the file's name if not given. */
  readonly name?: string;
  /** A function that builds a `tf.LayersModel`, or a function over named parameters. */
  readonly model: TrainingModel;
  /**
   * Changes the examples of a micro-batch before the model trains on them (shifts, flips, noise).
   * Synchronous; draws from `random`, or from unseeded functions of tfjs, which follow it too.
   */
  readonly augment?: (batch: BatchTensors, random: Random) => BatchTensors;
  readonly loss: Loss;
  readonly metrics?: readonly Metric[];
  /** Opens the data: fields `x` and `y` for most models. */
  readonly data: () => ProgramData | Promise<ProgramData>;
  readonly optimizer: Program['optimizer'];
  /** Examples in one step, over all workers. */
  readonly batchSize: number;
  readonly epochs: number;
  /** Decides the first weights, the order of the examples, and everything random in the model. */
  readonly seed: number;
  /** Data shards: part of the experiment, unlike the number of workers. */
  readonly shards?: number;
  /** Weights that read fewer stored parameters: `tie(...)`, `hashed(...)`. */
  readonly sharing?: readonly SharingRule[];
  readonly evaluationBatchSize?: number;
  /** Which weights feel the optimizer's weight decay; all if not given. */
  readonly decay?: (weight: string) => boolean;
  /** False computes the gradients as tfjs defines them, without the faster native operations. */
  readonly accelerate?: boolean;
  /**
   * Whether a micro-batch's gradient, or a batch's evaluation, is computed as one TensorFlow graph,
   * several times as fast where operations are small. Without this option: if the layers and the loss
   * are tfjs' own and nothing in them is random but dropout.
   *
   * `true` says of functions of yours (model, layer, loss) that which operations they do, and with
   * which constants, follows from the shapes of their arguments alone: they are called at the
   * beginning, and what they did is done again at every step. A loss that grows with the steps would
   * stay as it was. What is seen to read values, to draw random numbers or to do something else the
   * second time gets no graph; NODE_DEBUG=tutti-graph tells why.
   */
  readonly graph?: boolean;
}

/** A program made by `defineTraining`. */
export interface TrainingProgram extends Program {
  readonly training: TrainingOptions;
}

const KNOWN: Readonly<Record<keyof TrainingOptions, true>> = {
  name: true,
  model: true,
  augment: true,
  loss: true,
  metrics: true,
  data: true,
  optimizer: true,
  batchSize: true,
  epochs: true,
  seed: true,
  shards: true,
  sharing: true,
  evaluationBatchSize: true,
  decay: true,
  accelerate: true,
  graph: true,
};

/**
 * A training program from a TensorFlow.js model. Loads nothing until it is opened.
 *
 * Batch normalisation takes its moments over each micro-batch, and its moving moments are stored
 * parameters that move by the mean, over all examples of a step, of what each micro-batch made of
 * them: so they too are added along the canonical tree and do not depend on the number of workers.
 * They do depend on the number of shards. Any other weight that is not trained is stored as well,
 * unmoved, so that a checkpoint is complete.
 *
 * Dropout and all else that is random in tfjs without a seed follows from (seed, epoch, step,
 * shard). A layer with a `seed` of its own draws the same numbers at every step, as always in tfjs.
 */
export function defineTraining<Name extends string = string>(
  options: Omit<TrainingOptions, 'model'> & {
    readonly model: LayersModelFactory | FunctionModel<Name>;
  },
): TrainingProgram {
  checkKeys('defineTraining', options, KNOWN);
  checkModel(options.model);
  if (options.loss === undefined)
    throw new TuttiError('BAD_PROGRAM', 'defineTraining was given no loss', {
      remedy: "Give it one, such as loss: 'meanSquaredError'.",
    });
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.shards === undefined ? {} : { shards: options.shards }),
    ...(options.evaluationBatchSize === undefined
      ? {}
      : { evaluationBatchSize: options.evaluationBatchSize }),
    data: options.data,
    optimizer: options.optimizer,
    batchSize: options.batchSize,
    epochs: options.epochs,
    seed: options.seed,
    training: options,
    open: () => createComputation(options),
  };
}

function checkModel(model: unknown): void {
  if (typeof model === 'function') return;
  const parts = ['parameters', 'initialize', 'apply'];
  const given = typeof model === 'object' && model !== null ? model : {};
  const missing = parts.filter((part) => !(part in given));
  if (missing.length === 0) return;
  throw new TuttiError(
    'BAD_PROGRAM',
    missing.length < parts.length
      ? `The model given to defineTraining has no ${missing.join(' and no ')}`
      : 'The model given to defineTraining is no function',
    {
      remedy:
        'Give a function that builds it, model: () => tf.sequential(...), or an object with parameters, initialize and apply.',
    },
  );
}
