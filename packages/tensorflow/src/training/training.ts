import { checkKeys, TuttiError } from '@tutti/runtime';
import type { Program } from '@tutti/worker';
import type { LayersModelFactory } from '../model/build-model.js';
import type { FunctionModel } from '../model/function-model.js';
import { createComputation } from './computation.js';
import type { TrainingOptions } from './training-options.js';

/** A program made by `defineTraining`. */
export interface TrainingProgram extends Program {
  readonly training: TrainingOptions;
}

const KNOWN: Readonly<Record<keyof TrainingOptions, true>> = {
  name: true,
  model: true,
  augment: true,
  loss: true,
  lossWeights: true,
  metrics: true,
  labels: true,
  classWeight: true,
  exampleWeight: true,
  mask: true,
  data: true,
  optimizer: true,
  batchSize: true,
  epochs: true,
  seed: true,
  shards: true,
  sharing: true,
  evaluationBatchSize: true,
  gradientCompression: true,
  earlyStopping: true,
  reduceOnPlateau: true,
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
 * They do depend on the number of shards. Weights with `trainable: false` are stored by nobody: each
 * worker has their first values from the program, made with the program's seed.
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
    ...(options.gradientCompression === undefined
      ? {}
      : { gradientCompression: options.gradientCompression }),
    ...(options.earlyStopping && { earlyStopping: options.earlyStopping }),
    ...(options.reduceOnPlateau && { reduceOnPlateau: options.reduceOnPlateau }),
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
