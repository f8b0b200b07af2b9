import { toTuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { CheckpointSink, Snapshot } from './checkpoint-sink.js';

/**
 * Has a checkpoint written and tells it. If that fails it is a warning: the training goes on.
 * @returns where it is; null if it could not be written
 */
export async function writeSnapshot(
  sink: CheckpointSink,
  snapshot: Snapshot,
  last: boolean,
  emit: (event: RunEvent) => void,
): Promise<string | null> {
  try {
    const { path } = await sink.write(snapshot, last, emit);
    emit({ event: 'checkpoint', step: snapshot.step, path });
    return path;
  } catch (thrown) {
    const { code, message, remedy } = toTuttiError(
      thrown,
      'STORAGE',
      `The checkpoint of step ${snapshot.step} could not be saved`,
      'Make room or choose another --checkpoint-dir.',
    );
    const then = last ? '' : ' The training goes on, and older checkpoints stay.';
    const text = `${message.replace(/\.?$/, '.')}${then}`;
    emit({ event: 'warning', code, message: text, remedy });
    return null;
  }
}
