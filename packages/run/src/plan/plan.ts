import { CHUNK_FLOATS, checkChunkFloats, chunkFloatsFor, createLayout } from '@tutti/parameters';
import {
  checkSteering,
  type FirstWeights,
  type GradientCompression,
  type JobPlan,
  type OptimizerSpec,
  type ProgramDescription,
} from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import { checkOptimizer } from '@tutti/store';
import { defaultShards } from './default-shards.js';

/** What somebody set for this run; everything else comes from the program. */
export interface JobSettings {
  /** Examples in one step, over all shards. */
  readonly batchSize?: number | undefined;
  /** Passes over the training set. */
  readonly epochs?: number | undefined;
  /** Ends the run early. */
  readonly steps?: number | undefined;
  /** Decides the first weights, the order of the examples, and everything random in the program. */
  readonly seed?: number | undefined;
  /** Data shards: part of the experiment, unlike the number of workers. */
  readonly shards?: number | undefined;
  /** In place of that of the optimizer. */
  readonly learningRate?: number | undefined;
  /** In place of the program's. */
  readonly optimizer?: OptimizerSpec | undefined;
  /** Floats in a chunk: the unit of wire, reduction and update. */
  readonly chunkFloats?: number | undefined;
  /** `none` goes before what the program gives. */
  readonly gradientCompression?: GradientCompression | 'none' | undefined;
}

/** Their names, for whoever passes them on or refuses others. */
export const JOB_SETTINGS: Readonly<Record<keyof JobSettings, true>> = {
  batchSize: true,
  epochs: true,
  steps: true,
  seed: true,
  shards: true,
  learningRate: true,
  optimizer: true,
  chunkFloats: true,
  gradientCompression: true,
};

/**
 * Everything that decides the bits of the result, from the program and the settings.
 * @param init.workers how many the job is started with; the result does not depend on it
 * @param init.previous the plan of a run that goes on: it stands for what nobody set
 * @param init.firstWeights what it begins with, if not with the initial values of the program
 * @param init.servers how many share the parameters, 1 if not given; it does not change the result
 * @throws TuttiError BAD_CONFIG naming the value and what is allowed
 */
export function resolvePlan(init: {
  readonly description: ProgramDescription;
  readonly settings: JobSettings;
  readonly workers: number;
  readonly previous?: JobPlan;
  readonly firstWeights?: FirstWeights | undefined;
  readonly servers?: number;
}): JobPlan {
  const { description, workers, previous, servers = 1 } = init;
  const { firstWeights = previous?.firstWeights } = init;
  const settings = previous === undefined ? init.settings : continued(init.settings, previous);
  const { defaults, trainingExamples, evaluationExamples } = description;
  const batchSize = settings.batchSize ?? defaults.batchSize;
  const epochs = settings.epochs ?? defaults.epochs;
  const seed = settings.seed ?? defaults.seed;
  const shards = settings.shards ?? defaults.shards ?? defaultShards(batchSize);
  const evaluationBatchSize = defaults.evaluationBatchSize ?? 256;
  const { steps = 1 } = settings;
  const chunkFloats =
    settings.chunkFloats ??
    (previous === undefined
      ? chunkFloatsFor(createLayout(description.parameters).floats, servers)
      : CHUNK_FLOATS);
  const gradientCompression =
    settings.gradientCompression ?? defaults.gradientCompression ?? 'none';
  const whole = { batchSize, epochs, shards, evaluationBatchSize, steps };
  for (const [name, value] of Object.entries(whole))
    if (!Number.isSafeInteger(value) || value < 1)
      throw badConfig(`${name} is ${value}`, 'Give a whole number from 1.');
  checkChunkFloats(chunkFloats);
  if (!Number.isSafeInteger(seed)) throw badConfig(`seed is ${seed}`, 'Give a whole number.');
  if (workers > shards)
    throw badConfig(
      `${workers} workers were asked for, but there are only ${shards} shards to share out`,
      `Give --workers ${shards} or fewer, or --shards ${workers} or more (which changes the result).`,
    );
  const spec = settings.optimizer ?? defaults.optimizer;
  const { learningRate = spec.learningRate } = settings;
  const optimizer = checkOptimizer({ ...spec, learningRate });
  const { earlyStopping, reduceOnPlateau } = defaults;
  const steering = {
    ...(earlyStopping && { earlyStopping }),
    ...(reduceOnPlateau && { reduceOnPlateau }),
  };
  checkSteering(steering);
  const stepsPerEpoch = Math.ceil(trainingExamples / batchSize);
  return {
    programName: description.name,
    programHash: description.hash,
    ...(description.sharing === undefined ? {} : { sharing: description.sharing }),
    parameters: description.parameters,
    trainingExamples,
    evaluationExamples,
    ...(description.data && { data: description.data }),
    evaluationBatchSize,
    ...(description.metricForms && { metricForms: description.metricForms }),
    ...(description.metricDirections && { metricDirections: description.metricDirections }),
    batchSize,
    shards,
    seed,
    ...(firstWeights && { firstWeights }),
    stepsPerEpoch,
    steps: Math.min(settings.steps ?? Number.POSITIVE_INFINITY, epochs * stepsPerEpoch),
    optimizer,
    ...steering,
    ...(chunkFloats === CHUNK_FLOATS ? {} : { chunkFloats }),
    ...(gradientCompression === 'none' ? {} : { gradientCompression }),
  };
}

function continued(settings: JobSettings, previous: JobPlan): JobSettings {
  const { epochs, steps } = settings;
  return {
    ...settings,
    batchSize: settings.batchSize ?? previous.batchSize,
    seed: settings.seed ?? previous.seed,
    shards: settings.shards ?? previous.shards,
    chunkFloats: settings.chunkFloats ?? previous.chunkFloats,
    gradientCompression: settings.gradientCompression ?? previous.gradientCompression ?? 'none',
    optimizer: settings.optimizer ?? previous.optimizer,
    // Whoever names neither wants the run that was planned; epochs alone are all their steps.
    steps: steps ?? (epochs === undefined ? previous.steps : undefined),
    epochs: epochs ?? Math.ceil((steps ?? previous.steps) / previous.stepsPerEpoch),
  };
}

function badConfig(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_CONFIG', message, { remedy });
}
