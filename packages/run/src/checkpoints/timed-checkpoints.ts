import type { Timeline } from '@tutti/runtime';
import type { checkpointsOf } from './checkpoint-settings.js';

/** The same, telling how long each checkpoint takes to be written. */
export function timedCheckpoints(
  given: ReturnType<typeof checkpointsOf>,
  timeline: Timeline | undefined,
): typeof given {
  const { checkpoints: sink } = given;
  if (sink === undefined || timeline === undefined) return given;
  return {
    ...given,
    checkpoints: {
      ...sink,
      async write(snapshot, ...more) {
        const since = timeline.now();
        try {
          // Unnamed wait: whoever waits for it names it.
          return await sink.write(snapshot, ...more);
        } finally {
          timeline.passed('checkpoint', since, snapshot.step - 1);
        }
      },
    },
  };
}
