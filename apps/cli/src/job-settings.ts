import { parseInterval, type Settings } from '@tutti/config';
import type { Deadlines } from '@tutti/coordinator';
import type { JobSettings } from '@tutti/run';
import type { Heartbeat } from '@tutti/transport';

/** What was set of the job itself; the program gives the rest. */
export function jobSettings(settings: Settings): JobSettings {
  const { batchSize, epochs, steps, seed, shards, learningRate } = settings;
  return { batchSize, epochs, steps, seed, shards, learningRate };
}

/** What was set of checkpoints, besides where they are. */
export function keepSettings(settings: Settings) {
  const { checkpointEvery, checkpointKeep: keep, checkpointBest: best } = settings;
  const every = checkpointEvery === undefined ? undefined : parseInterval(checkpointEvery);
  return { every, keep, best };
}

export function heartbeatOf({ heartbeatMs, heartbeatDeadlineMs }: Settings): Heartbeat {
  // A pause that nobody asked for gives way to the deadline.
  const pauseMs = Math.min(heartbeatMs, Math.ceil(heartbeatDeadlineMs / 2));
  return { heartbeatMs: pauseMs, timeoutMs: heartbeatDeadlineMs };
}

export function deadlinesOf(settings: Settings): Deadlines {
  return {
    joinMs: settings.joinDeadlineMs,
    stepMs: settings.stepDeadlineMs,
    serverMs: settings.serverDeadlineMs,
    progressMs: settings.progressDeadlineMs,
  };
}
