import { type TuttiError, toTuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { CheckpointSink, Snapshot } from './snapshot.js';

/** The wait for the model at the end of a run. */
export const writingModel = {
  who: 'the disk',
  what: 'write the trained model',
  remedy: 'See whether it is full, or slow.',
};

/** Checkpoints that are written in the background, one after the other. */
export interface SnapshotQueue {
  /**
   * While one is written, only the last of those that wait stays, since each is as large as the model: it is
   * newer, and if another than the time asked for it, also better.
   */
  add(snapshot: Snapshot): void;
  /** How many are not written yet. */
  pending(): number;
  /** Resolves when all that were added and stayed are written, or could not be. */
  idle(): Promise<unknown>;
}

export function createSnapshotQueue(
  sink: CheckpointSink,
  emit: (event: RunEvent) => void,
): SnapshotQueue {
  let waiting: Snapshot | undefined;
  let writing: Promise<void> | undefined;

  async function write() {
    while (waiting !== undefined) {
      const snapshot = waiting;
      waiting = undefined;
      // Unnamed wait: whoever waits for the last one names it.
      await writeSnapshot(sink, snapshot, false, emit);
    }
    writing = undefined;
  }

  return {
    add(snapshot) {
      waiting = snapshot;
      writing ??= write();
    },
    pending: () => Number(writing !== undefined) + Number(waiting !== undefined),
    idle: () => writing ?? Promise.resolve(),
  };
}

/** What came of writing a checkpoint. */
export interface Saved {
  /** Where it is; null if it could not be written. */
  readonly path: string | null;
  /** Why it is not where it was to be. */
  readonly unsaved?: TuttiError;
}

/** Has a checkpoint written and tells it. If that fails it is a warning: the training goes on. */
export async function writeSnapshot(
  sink: CheckpointSink,
  snapshot: Snapshot,
  last: boolean,
  emit: (event: RunEvent) => void,
): Promise<Saved> {
  try {
    const saved = await sink.write(snapshot, last, emit);
    emit({ event: 'checkpoint', step: snapshot.step, path: saved.path });
    return saved;
  } catch (thrown) {
    const error = toTuttiError(
      thrown,
      'STORAGE',
      `The checkpoint of step ${snapshot.step} could not be saved`,
      'Make room or choose another --checkpoint-dir.',
    );
    const then = last ? '' : ' The training goes on, and older checkpoints stay.';
    emit(warningOf(error, `${error.message.replace(/\.?$/, '.')}${then}`));
    return { path: null, unsaved: error };
  }
}
