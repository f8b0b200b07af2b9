import type { Evaluation } from '@tutti/checkpoint';
import type { Layout } from '@tutti/parameters';
import {
  type CheckpointSink,
  createCheckpointSchedule,
  createSnapshotQueue,
  type ProgressState,
  type Saved,
  type Snapshot,
  writeSnapshot,
} from '@tutti/run';
import type { Clock } from '@tutti/runtime';
import type { Store } from '@tutti/store';
import type { RunEvent } from '@tutti/telemetry';

/** The checkpoints of the plain loop: copied between two steps, written beside the next ones. */
export interface SingleProcessCheckpoints {
  between(version: number, progress: ProgressState, evaluation: Evaluation | undefined): void;
  /** The run ends at this version, before its evaluation came. */
  halt(version: number, progress: ProgressState): void;
  /** Writes the state of the version that came last. */
  last(): Promise<Saved>;
}

export function createSingleProcessCheckpoints(init: {
  readonly sink: CheckpointSink;
  readonly run: Pick<Snapshot, 'job' | 'plan' | 'versions'>;
  readonly layout: Layout;
  readonly store: Store;
  readonly flat: Float32Array;
  /** How many the optimizer has. */
  readonly slots: number;
  /** The version that the run starts at. */
  readonly version: number;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
}): SingleProcessCheckpoints {
  const { sink, run, layout, store, flat, clock, emit } = init;
  const schedule = createCheckpointSchedule({ every: sink.every, best: sink.best, clock, emit });
  schedule.startAt(init.version);
  const writing = createSnapshotQueue(sink, emit);
  let now: Pick<Snapshot, 'step' | 'progress' | 'evaluation'> = { step: init.version };

  function snapshot(): Snapshot {
    const slots = Array.from({ length: init.slots }, () => new Float32Array(layout.floats));
    for (let chunk = 0; chunk < layout.chunks; chunk++)
      for (const [at, values] of store.slots(chunk).entries())
        slots[at]!.set(values, chunk * layout.chunkFloats);
    return { ...run, ...now, flat: flat.slice(), slots, ranges: [layout.floats] };
  }

  return {
    between(step, progress, evaluation) {
      now = { step, progress, ...(evaluation === undefined ? {} : { evaluation }) };
      // The end of the run has its own.
      if (step === run.plan.steps || !schedule.due(step, evaluation, writing.pending())) return;
      writing.add(snapshot());
    },
    halt(step, progress) {
      now = { step, progress };
    },
    async last() {
      // Unnamed wait: the caller races it.
      await writing.idle();
      return writeSnapshot(sink, snapshot(), true, emit);
    },
  };
}
