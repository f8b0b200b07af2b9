import type { Settings } from '@tutti/config';
import type { Deadlines, JobSettings } from '@tutti/coordinator';

/** What was set of the job itself; the program gives the rest. */
export function jobSettings(settings: Settings): JobSettings {
  const { batchSize, epochs, steps, seed, shards, learningRate } = settings;
  return { batchSize, epochs, steps, seed, shards, learningRate };
}

export function deadlinesOf(settings: Settings): Deadlines {
  return {
    joinMs: settings.joinDeadlineMs,
    stepMs: settings.stepDeadlineMs,
    serverMs: settings.serverDeadlineMs,
    progressMs: settings.progressDeadlineMs,
  };
}
