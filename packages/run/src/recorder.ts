import type { Layout } from '@tutti/parameters';
import type { JobPlan } from '@tutti/protocol';
import { toTuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { CheckpointSink } from './checkpoints/snapshot.js';
import type { StepRecord } from './step/step-record.js';
import { type AppliedSum, createSumDigests } from './step/sum-digests.js';
import type { Totals } from './step/totals.js';

/**
 * Records the steps of a job that keeps checkpoints. Hashing takes place once the servers have a
 * sum, while the workers compute on what came of it.
 */
export interface Recorder {
  /** Whether the digests of sums are wanted. */
  recording(): boolean;
  /** The servers have this sum. */
  applied(apply: AppliedSum, sum: Uint8Array): void;
  /** A server has applied a sum that it has made itself. */
  digested(apply: AppliedSum, digest: string): void;
  /** The step from this version is complete; `rate` is the factor of its learning rate. */
  done(version: number, totals: Totals, rate: number): void;
}

export function createRecorder(init: {
  /** What is being run. */
  readonly job: { readonly id: string; readonly plan: JobPlan; readonly layout: Layout };
  readonly sink: CheckpointSink | undefined;
  readonly emit: (event: RunEvent) => void;
}): Recorder {
  const { job, sink, emit } = init;
  let recording = sink?.every !== undefined && sink.record !== undefined;
  const sums = createSumDigests(job.layout.chunks);

  return {
    recording: () => recording,
    digested: sums.digested,
    applied(apply, sum) {
      if (recording) sums.applied(apply, sum);
    },
    done(version, { count, lossSum }, rate) {
      // A coordinator that was started again has not seen all of its first step.
      const digest = recording ? sums.of(version) : undefined;
      if (digest === undefined) return;
      const step = { job: job.id, step: version + 1, count, lossSum };
      const record: StepRecord = { ...step, ...(rate === 1 ? {} : { rate }), digest };
      sink!.record!(job.plan.programName, record).catch((thrown: unknown) => {
        if (!recording) return;
        recording = false;
        const error = toTuttiError(
          thrown,
          'STORAGE',
          'The steps are not recorded any more',
          'Make room or choose another --checkpoint-dir, for `tutti replay` to have something to compare with.',
        );
        emit(warningOf(error));
      });
    },
  };
}
