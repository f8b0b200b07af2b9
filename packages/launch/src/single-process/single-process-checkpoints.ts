import type { Means } from '@tutti/checkpoint';
import type { Layout } from '@tutti/parameters';
import {
  type BestState,
  bestSnapshot,
  type CheckpointSink,
  createCheckpointSchedule,
  createSnapshotQueue,
  type ProgressState,
  type Saved,
  type Snapshot,
  writeSnapshot,
} from '@tutti/run';
import type { Clock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { PlainSteps } from './plain-steps.js';

/** The checkpoints of the plain loop: copied between two steps, written beside the next ones. */
export interface SingleProcessCheckpoints {
  between(
    version: number,
    progress: ProgressState,
    evaluation: Means | undefined,
    best: BestState | undefined,
  ): void;
  /** The run ends at this version, before its evaluation came. */
  halt(version: number, progress: ProgressState, best: BestState | undefined): void;
  /** Writes the state of the version that came last, or of an earlier one. */
  last(best?: BestState): Promise<Saved>;
}

export function createSingleProcessCheckpoints(init: {
  readonly sink: CheckpointSink;
  readonly run: Pick<Snapshot, 'job' | 'plan' | 'versions'>;
  readonly layout: Layout;
  readonly steps: Pick<PlainSteps, 'flat' | 'state'>;
  /** The version that the run starts at. */
  readonly version: number;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
}): SingleProcessCheckpoints {
  const { sink, run, layout, steps, clock, emit } = init;
  const { every, best } = sink;
  const { plan } = run;
  const schedule = createCheckpointSchedule({ every, best, plan, clock, emit });
  schedule.startAt(init.version);
  const writing = createSnapshotQueue(sink, emit);
  let now: Pick<Snapshot, 'step' | 'progress' | 'evaluation' | 'best'> = { step: init.version };

  function snapshot(): Snapshot {
    const flat = steps.flat.slice();
    return { ...run, ...now, flat, slots: steps.state(), ranges: [layout.floats] };
  }

  return {
    between(step, progress, evaluation, best) {
      now = { step, progress, ...(evaluation && { evaluation }), ...(best && { best }) };
      // The end of the run has its own.
      if (step === run.plan.steps || !schedule.due(step, evaluation, writing.pending())) return;
      writing.add(snapshot());
    },
    halt(step, progress, best) {
      now = { step, progress, ...(best && { best }) };
    },
    async last(best) {
      // Unnamed wait: the caller races it.
      await writing.idle();
      const end = best === undefined ? snapshot() : bestSnapshot(run, best, [layout.floats]);
      return writeSnapshot(sink, end, true, emit);
    },
  };
}
