import type { Evaluation } from '@tutti/checkpoint';
import {
  type CheckpointSink,
  createCheckpointSchedule,
  createSnapshotQueue,
  type ProgressState,
  type ResumePoint,
  type Saved,
  type Snapshot,
  writeSnapshot,
} from '@tutti/run';
import { createOptimizer } from '@tutti/store';
import { type CollectedState, createCollectedState } from '../state/collected-state.js';
import type { JobParts } from '../state/job-state.js';

/** The checkpoints of a job: taken beside the training, written in the background. */
export interface Checkpoints {
  /** The run starts, or goes on, at this version; what was being captured will not come. */
  startAt(version: number): void;
  /** Between two steps: asks the servers for their state, if a checkpoint is due. */
  between(version: number, progress: ProgressState, evaluation: Evaluation | undefined): void;
  /** The run ends at this version, before its evaluation came: what it had counted by then. */
  halt(progress: ProgressState): void;
  /** A server sent the state of one chunk. */
  captured(version: number, chunk: number, payload: Uint8Array): void;
  /** Whether the optimizer's state is wanted at the end of the run. */
  readonly wanted: boolean;
  /** Writes the state at the end, after what is under way; undefined if nothing is to be written. */
  last(end: CollectedState): Promise<Saved | undefined>;
  /** The newest one of this job up to a version: for a run that must go back. */
  latest(upTo: number): Promise<ResumePoint | undefined>;
  /** Waits a while for what is being written. */
  close(): Promise<void>;
}

/** A disk that does not answer must not keep a run from ending. */
const PATIENCE_MS = 5000;

interface Begun {
  readonly capture: CollectedState;
  readonly complete: Pick<Snapshot, 'progress' | 'evaluation'>;
}

/** @param init.versions of the libraries that compute */
export function createCheckpoints(
  init: Pick<JobParts, 'state' | 'servers' | 'clock' | 'emit'> & {
    readonly sink: CheckpointSink | undefined;
    readonly versions: () => Readonly<Record<string, string>>;
  },
): Checkpoints {
  const { state, servers, clock, emit, sink } = init;
  const schedule = createCheckpointSchedule({ every: sink?.every, best: sink?.best, clock, emit });
  const open = new Map<number, Begun>();
  /** What is known of the version that the training has come to. */
  let now: Begun['complete'] = {};
  const writing = sink && createSnapshotQueue(sink, emit);

  function snapshotOf({ capture, complete }: Begun): Snapshot {
    const { job, plan } = state;
    const { version: step, flat, slots } = capture;
    const { floats, chunkFloats } = state.layout!;
    const ranges = servers
      .ranges(state.layout!)
      .map((range) => Math.min(floats - range.firstChunk * chunkFloats, range.chunks * chunkFloats))
      .map((length) => Math.max(0, length));
    const versions = init.versions();
    return { job, plan: plan!, step, flat, slots, ranges, versions, ...complete };
  }

  return {
    startAt(version) {
      open.clear();
      schedule.startAt(version);
    },
    between(version, progress, evaluation) {
      // A server sends its state before it changes it, so what has not come by now never will: its
      // server was lost.
      open.clear();
      now = { progress, ...(evaluation === undefined ? {} : { evaluation }) };
      // The end of the run has its own.
      if (sink === undefined || version === state.plan!.steps) return;
      if (!schedule.due(version, evaluation, open.size + writing!.pending())) return;
      const { slots } = createOptimizer(state.plan!.optimizer);
      open.set(version, {
        capture: createCollectedState(state.layout!, slots, version),
        complete: now,
      });
      servers.sendToFirst({ type: 'capture', version, slots: true });
    },
    halt(progress) {
      now = { progress };
    },
    captured(version, chunk, payload) {
      const begun = open.get(version);
      if (begun === undefined) return;
      begun.capture.take(chunk, payload);
      if (begun.capture.missing.size > 0) return;
      open.delete(version);
      writing!.add(snapshotOf(begun));
    },
    wanted: sink !== undefined,
    async last(end) {
      // Unnamed wait: the caller races it.
      await writing?.idle();
      if (sink === undefined) return undefined;
      return writeSnapshot(sink, snapshotOf({ capture: end, complete: now }), true, emit);
    },
    async latest(upTo) {
      // Unnamed wait: the caller races it.
      await writing?.idle();
      return sink?.latest?.({ job: state.job, plan: state.plan!, upTo, emit });
    },
    async close() {
      // Unnamed wait: the caller races it.
      await new Promise<void>((resolve) => {
        const patience = clock.after(PATIENCE_MS, resolve);
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
