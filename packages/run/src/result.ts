import { createHash } from 'node:crypto';
import type { Layout } from '@tutti/parameters';
import type { JobPlan } from '@tutti/protocol';
import type { RunEvent, StartedEvent } from '@tutti/telemetry';
import type { ResumePoint } from './checkpoints/snapshot.js';

/** A trained model, as numbers. */
export interface JobResult {
  readonly job: string;
  readonly plan: JobPlan;
  readonly steps: number;
  readonly examples: number;
  /** Of the final evaluation if there is one, else of the last epoch of training. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** SHA-256 over the float32 bytes of the stored parameters, in declared order. */
  readonly digest: string;
  /** The stored parameters, flat, in declared order. */
  readonly parameters: Float32Array;
  /** The same memory, by name. */
  readonly values: Readonly<Record<string, Float32Array>>;
  readonly examplesPerSecond: number;
  readonly wireBytesPerStep: number;
  /** Where it was saved; null if it was not. */
  readonly modelPath: string | null;
}

/** SHA-256 over the little-endian float32 bytes, in hexadecimal. */
export function digestOf(parameters: Float32Array): string {
  const { buffer, byteOffset, byteLength } = parameters;
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

/** The event that begins a run. */
export function startedEvent(init: {
  readonly job: string;
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly workers: number;
  readonly servers: number;
  /** The checkpoint that it goes on from. */
  readonly from: Pick<ResumePoint, 'step' | 'path'> | undefined;
}): StartedEvent {
  const { job, plan, layout, workers, servers, from } = init;
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
    ...(from && { resumed: { step: from.step, path: from.path } }),
  };
}

/** The event that ends a run that went well. */
export function finishedEvent(result: JobResult): Extract<RunEvent, { event: 'finished' }> {
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
