import { TuttiError } from '@tutti/runtime';
import { createCheckpointFolder } from './checkpoint-folder.js';
import { beginFrom } from './first-weights.js';
import { resumeFrom } from './resume.js';
import type { CheckpointInterval, CheckpointSink, Resume } from './snapshot.js';

/** Which checkpoints a run writes, and from which it goes on. */
export interface CheckpointSettings {
  /** The folder of checkpoints and of the trained model; null to keep it in memory only. */
  readonly checkpointDir?: string | null | undefined;
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

/** Their names, for whoever passes them on or refuses others. */
export const CHECKPOINT_SETTINGS: Readonly<Record<keyof CheckpointSettings, true>> = {
  checkpointDir: true,
  runsDir: true,
  checkpointEvery: true,
  checkpointKeep: true,
  checkpointBest: true,
  resume: true,
  from: true,
};

/**
 * @param settings.runsDir where nobody knows the program yet, a function of its name
 * @throws TuttiError BAD_CONFIG if there is no folder for what is wanted
 */
export function checkpointsOf(
  settings: Omit<CheckpointSettings, 'runsDir'> & {
    readonly runsDir?: string | ((programName: string) => string) | undefined;
  },
): { checkpoints?: CheckpointSink; resume?: Resume } {
  const { checkpointEvery: every, resume, from, runsDir } = settings;
  const directory = settings.checkpointDir ?? runsDir ?? null;
  const runs = (settings.checkpointDir ?? null) === null;
  const { checkpointKeep: keep, checkpointBest: best } = settings;
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
