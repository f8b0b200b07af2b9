import {
  type CheckpointInterval,
  type CheckpointSink,
  createCheckpointFolder,
  type Resume,
  resumeFrom,
} from '@tutti/run';
import { TuttiError } from '@tutti/runtime';

/** Which checkpoints a run writes, and from which it goes on. */
export interface KeepOptions {
  /** The folder of checkpoints and of the trained model; null to keep it in memory only. */
  readonly checkpointDir?: string | null;
  /** In place of `checkpointDir`: a folder in which each run gets one of its own. */
  readonly runsDir?: string | undefined;
  /** How often during the run. The trained model is saved at the end in any case. */
  readonly checkpointEvery?: CheckpointInterval | undefined;
  /** How many of the newest stay. Default 3. */
  readonly checkpointKeep?: number | undefined;
  /** `loss` or a metric of the evaluation: whenever it is better, a checkpoint is written and stays. */
  readonly checkpointBest?: string | undefined;
  /** Go on from `latest` in that folder, or from the checkpoint at a path. */
  readonly resume?: string | undefined;
}

/** @throws TuttiError BAD_CONFIG if there is no folder for what is wanted */
export function checkpointsOf(options: KeepOptions): {
  checkpoints?: CheckpointSink;
  resume?: Resume;
} {
  const { checkpointEvery: every, resume, runsDir } = options;
  const directory = options.checkpointDir ?? runsDir ?? null;
  const runs = (options.checkpointDir ?? null) === null;
  const { checkpointKeep: keep, checkpointBest: best } = options;
  if (directory === null && (every !== undefined || resume === 'latest'))
    throw new TuttiError('BAD_CONFIG', 'There is no folder for checkpoints', {
      remedy: 'Name one with checkpointDir, or runsDir.',
    });
  return {
    ...(directory === null
      ? {}
      : { checkpoints: createCheckpointFolder({ directory, runs, every, keep, best }) }),
    ...(resume === undefined ? {} : { resume: resumeFrom(resume, directory ?? '.') }),
  };
}

/** Those of the options that a process of its own must be told. */
export function keepOptions(options: KeepOptions): KeepOptions {
  const { checkpointDir = null, runsDir, checkpointEvery, resume } = options;
  const { checkpointKeep, checkpointBest } = options;
  return { checkpointDir, runsDir, checkpointEvery, checkpointKeep, checkpointBest, resume };
}
