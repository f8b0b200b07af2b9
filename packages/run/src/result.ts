import type { Layout } from '@tutti/parameters';
import type { JobPlan } from '@tutti/protocol';
import type { TuttiError } from '@tutti/runtime';
import type { FailedEvent, FinishedEvent, StartedEvent } from '@tutti/telemetry';
import type { ResumePoint } from './checkpoints/snapshot.js';
import type { Saved } from './checkpoints/snapshot-queue.js';

/** A trained model, as numbers. */
export interface JobResult {
  readonly job: string;
  readonly plan: JobPlan;
  readonly steps: number;
  readonly examples: number;
  /** That of the final evaluation if there is one, else of the last epoch of training. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** SHA-256 over the float32 bytes of the stored parameters, in declared order. */
  readonly digest: string;
  /** The stored parameters, flat, in declared order. */
  readonly parameters: Float32Array;
  /** The same memory, by name. That of `runLocal` has frozen values besides, which are the program's. */
  readonly values: Readonly<Record<string, Float32Array>>;
  readonly examplesPerSecond: number;
  readonly wireBytesPerStep: number;
  /** Where it was saved; null if it was not. */
  readonly modelPath: string | null;
  /** Why it is not where it was to be saved. */
  readonly unsaved?: TuttiError;
}

/** The event that begins a run. */
export function startedEvent(init: {
  readonly job: string;
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly workers: number;
  readonly servers: number;
  /** What it starts from, if not from the initial values of the program. */
  readonly from: Pick<ResumePoint, 'step' | 'path'> | undefined;
  /** Where it writes, if it does. */
  readonly folder: string | undefined;
}): StartedEvent {
  const { job, plan, layout, workers, servers, from, folder } = init;
  return {
    event: 'started',
    job,
    workers,
    servers,
    shards: plan.shards,
    steps: plan.steps,
    epochs: Math.ceil(plan.steps / plan.stepsPerEpoch),
    storedParameters: layout.floats,
    program: plan.programName,
    hyperparameters: hyperparametersOf(plan),
    dataset: { training: plan.trainingExamples, evaluation: plan.evaluationExamples },
    ...(folder === undefined ? {} : { folder }),
    ...startOf(from, plan),
  };
}

/** Those of the optimizer under its own names, a schedule by its kind. */
function hyperparametersOf({ optimizer, batchSize, shards, seed, gradientCompression }: JobPlan) {
  const { name, schedule, ...numbers } = optimizer;
  return {
    ...{ optimizer: name, ...numbers, batchSize, shards, seed },
    ...(schedule === undefined ? {} : { schedule: schedule.kind }),
    ...(gradientCompression === undefined ? {} : { gradientCompression }),
  };
}

function startOf(
  from: Pick<ResumePoint, 'step' | 'path'> | undefined,
  { firstWeights }: JobPlan,
): Pick<StartedEvent, 'resumed' | 'from'> {
  if (from === undefined) return {};
  const { step, path } = from;
  if (step > 0 || firstWeights === undefined) return { resumed: { step, path } };
  return { from: { path, digest: firstWeights.digest } };
}

/** Where the trained model is, and why it is not where it was to be. */
export function savedAs(saved: Saved | undefined): Pick<JobResult, 'modelPath' | 'unsaved'> {
  const { path = null, unsaved } = saved ?? {};
  return { modelPath: path, ...(unsaved && { unsaved }) };
}

/** The last event of a run: a model that is not where it should be is no success. */
export function endingEvent(result: JobResult): FinishedEvent | FailedEvent {
  const { unsaved, modelPath } = result;
  if (unsaved === undefined) return finishedEvent(result);
  const { event: _, ...numbers } = finishedEvent(result);
  const where = modelPath === null ? 'is lost' : `lies in ${modelPath} instead`;
  const { code, message, remedy } = unsaved;
  return {
    event: 'failed',
    code,
    message: `The run came to its end, but its model ${where}: ${message}`,
    remedy,
    details: { ...unsaved.details, ...numbers },
  };
}

/** The event that ends a run that went well. */
function finishedEvent(result: JobResult): FinishedEvent {
  const { steps, examples, loss, metrics, digest, parameters, modelPath } = result;
  const { examplesPerSecond, wireBytesPerStep } = result;
  return {
    event: 'finished',
    steps,
    examples,
    loss,
    metrics,
    digest,
    examplesPerSecond,
    wireBytesPerStep,
    storedParameters: parameters.length,
    modelPath,
  };
}
