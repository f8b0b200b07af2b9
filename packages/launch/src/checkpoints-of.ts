import {
  beginFrom,
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
  /** Without `checkpointDir`: a folder in which each run gets one of its own. `from` looks there for `latest`. */
  readonly runsDir?: string | undefined;
  /** How often during the run. The trained model is saved at the end in any case. */
  readonly checkpointEvery?: CheckpointInterval | undefined;
  /** How many of the newest stay. Default 3. */
  readonly checkpointKeep?: number | undefined;
  /** `loss` or a metric of the evaluation: whenever it is better, a checkpoint is written and stays. */
  readonly checkpointBest?: string | undefined;
  /** Go on from `latest` in that folder, or from the checkpoint at a path. */
  readonly resume?: string | undefined;
  /**
   * Begin a new run with the weights of an earlier one: `latest` of those in `runsDir`, or the path of
   * a checkpoint or of a safetensors file.
   */
  readonly from?: string | undefined;
}

/** @throws TuttiError BAD_CONFIG if there is no folder for what is wanted */
export function checkpointsOf(options: KeepOptions): {
  checkpoints?: CheckpointSink;
  resume?: Resume;
} {
  const { checkpointEvery: every, resume, from, runsDir } = options;
  const directory = options.checkpointDir ?? runsDir ?? null;
  const runs = (options.checkpointDir ?? null) === null;
  const { checkpointKeep: keep, checkpointBest: best } = options;
  if (directory === null && (every !== undefined || resume === 'latest'))
    throw new TuttiError('BAD_CONFIG', 'There is no folder for checkpoints', {
      remedy: 'Name one with checkpointDir, or runsDir.',
    });
  if (from === 'latest' && runsDir === undefined)
    throw new TuttiError('BAD_CONFIG', 'There is no folder of runs whose latest could be taken', {
      remedy: 'Name it with runsDir, or give `from` the path of a checkpoint.',
    });
  const earlier = directory ?? '.';
  return {
    ...(directory === null
      ? {}
      : { checkpoints: createCheckpointFolder({ directory, runs, every, keep, best }) }),
    ...(from !== undefined
      ? { resume: beginFrom({ from, runs: runsDir ?? earlier, resume, directory: earlier }) }
      : resume !== undefined && { resume: resumeFrom(resume, earlier) }),
  };
}

/** Those of the options that a process of its own must be told. */
export function keepOptions(options: KeepOptions): KeepOptions {
  const { checkpointDir = null, runsDir, checkpointEvery, resume, from } = options;
  const { checkpointKeep, checkpointBest } = options;
  return { checkpointDir, runsDir, checkpointEvery, checkpointKeep, checkpointBest, resume, from };
}
