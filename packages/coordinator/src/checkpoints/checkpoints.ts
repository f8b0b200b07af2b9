import type { Means } from '@tutti/checkpoint';
import {
  type BestState,
  bestSnapshot,
  type CheckpointSink,
  createCheckpointSchedule,
  createSnapshotQueue,
  type ProgressState,
  type ResumePoint,
  type Saved,
  type Snapshot,
  writeSnapshot,
} from '@tutti/run';
import type { Clock } from '@tutti/runtime';
import { createOptimizer } from '@tutti/store';
import type { RunEvent } from '@tutti/telemetry';
import type { Servers } from '../servers/servers.js';
import { type CollectedState, createCollectedState } from '../state/collected-state.js';
import type { Job } from '../state/job.js';
import { DISK_PATIENCE_MS } from '../tunables.js';

/** The checkpoints of a job: taken beside the training, written in the background. */
export interface Checkpoints {
  /** The job is known: from now on its checkpoints are written, into the folder that it returns. */
  begin(from: string | undefined): Promise<string | undefined>;
  /** The run starts, or goes on, at this version; what was being captured will not come. */
  startAt(version: number): void;
  /**
   * Between two steps: asks the servers for their state, if a checkpoint is due.
   * @param passed whether they may be further already
   */
  between(
    version: number,
    progress: ProgressState,
    evaluation: Means | undefined,
    best: BestState | undefined,
    passed: boolean,
  ): void;
  /** As of a `CheckpointSchedule`: until then the servers need not be asked for anything. */
  next(version: number): number;
  /** The run ends at this version, before its evaluation came: what it had counted by then. */
  halt(progress: ProgressState, best: BestState | undefined): void;
  /** A server sent the state of one chunk. */
  captured(version: number, chunk: number, payload: Uint8Array): void;
  /** Whether the optimizer's state is wanted at the end of the run. */
  readonly wanted: boolean;
  /**
   * Writes the state at the end, or of an earlier version, after what is under way; undefined if
   * nothing is to be written.
   */
  last(end: CollectedState | BestState): Promise<Saved | undefined>;
  /** The newest one of this job up to a version: for a run that must go back. */
  latest(upTo: number): Promise<ResumePoint | undefined>;
  /** Waits a while for what is being written. */
  close(): Promise<void>;
}

interface Begun {
  readonly state: CollectedState;
  readonly complete: Pick<Snapshot, 'progress' | 'evaluation' | 'best'>;
}

/** @param init.versions of the libraries that compute */
export function createCheckpoints(init: {
  readonly job: Job;
  readonly servers: Pick<Servers, 'hosted' | 'ranges' | 'sendToFirst'>;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
  readonly sink: CheckpointSink | undefined;
  readonly versions: () => Readonly<Record<string, string>>;
  /** Where workers reach this coordinator: those whose processes hold the weights may outlive it. */
  readonly address: string;
}): Checkpoints {
  const { job, servers, clock, emit, sink } = init;
  const { plan, layout } = job;
  const { every, best } = sink ?? {};
  const schedule = createCheckpointSchedule({ every, best, plan, clock, emit });
  const open = new Map<number, Begun>();
  /** What is known of the version that the training has come to. */
  let now: Begun['complete'] = {};
  const writing = sink && createSnapshotQueue(sink, emit);

  const run = () => ({ job: job.id, plan, versions: init.versions() });

  /** Floats of each server's range. */
  function ranges(): number[] {
    const { floats, chunkFloats } = layout;
    return servers
      .ranges(layout)
      .map((range) => Math.min(floats - range.firstChunk * chunkFloats, range.chunks * chunkFloats))
      .map((length) => Math.max(0, length));
  }

  function snapshotOf({ state, complete }: Begun): Snapshot {
    const { version: step, flat, slots } = state;
    return { ...run(), step, flat, slots, ranges: ranges(), ...complete };
  }

  return {
    begin: async (from) =>
      sink?.begin?.({
        ...{ job: job.id, plan, from },
        ...(servers.hosted && { coordinator: init.address }),
      }),
    startAt(version) {
      open.clear();
      schedule.startAt(version);
    },
    next: (version) => (writing === undefined ? Number.POSITIVE_INFINITY : schedule.next(version)),
    between(version, progress, evaluation, best, passed) {
      // A server sends its state before it changes it, so what has not come by now never will: its
      // server was lost.
      open.clear();
      now = { progress, ...(evaluation && { evaluation }), ...(best && { best }) };
      // The end of the run has its own.
      if (passed || writing === undefined || version === plan.steps) return;
      if (!schedule.due(version, evaluation, open.size + writing.pending())) return;
      const { slots } = createOptimizer(plan.optimizer);
      open.set(version, {
        state: createCollectedState(layout, slots, version),
        complete: now,
      });
      servers.sendToFirst({ type: 'capture', version, slots: true });
    },
    halt(progress, best) {
      now = { progress, ...(best && { best }) };
    },
    captured(version, chunk, payload) {
      const begun = open.get(version);
      if (begun === undefined) return;
      begun.state.take(chunk, payload);
      if (begun.state.missing.size > 0) return;
      open.delete(version);
      writing?.add(snapshotOf(begun));
    },
    wanted: sink !== undefined,
    async last(end) {
      // Unnamed wait: the caller races it.
      await writing?.idle();
      if (sink === undefined) return undefined;
      const snapshot =
        'progress' in end
          ? bestSnapshot(run(), end, ranges())
          : snapshotOf({ state: end, complete: now });
      return writeSnapshot(sink, snapshot, true, emit);
    },
    async latest(upTo) {
      // Unnamed wait: the caller races it.
      await writing?.idle();
      return sink?.latest?.({ job: job.id, plan, upTo, emit });
    },
    async close() {
      // Unnamed wait: the caller races it.
      await new Promise<void>((resolve) => {
        const patience = clock.after(DISK_PATIENCE_MS, resolve);
        void Promise.resolve(writing?.idle()).then(() => {
          patience.cancel();
          resolve();
        });
      });
      // Unnamed wait: the caller races it.
      await sink?.close?.();
    },
  };
}
