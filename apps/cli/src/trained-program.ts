import { type Checkpoint, readCheckpoint } from '@tutti/checkpoint';
import type { Settings } from '@tutti/config';
import { readingCheckpoint, refuseOtherSharing } from '@tutti/run';
import { failAfter, isTuttiError, type Monitor, TuttiError } from '@tutti/runtime';
import type { Computation, ParameterValues, Program, ProgramData } from '@tutti/worker';
import { type OpenProgram, openProgram } from '@tutti/worker/internal';
import type { CliContext } from './context.js';
import { runsFolder } from './folders.js';
import { loadProgram } from './load-program.js';
import { monitorsOf } from './monitors.js';
import type { Output } from './output.js';

/** A program with the weights that a run of it left. */
export interface TrainedProgram {
  readonly program: Program;
  readonly hash: string;
  readonly data: ProgramData;
  readonly computation: Computation;
  /** What is to be said of the data. */
  readonly notices: OpenProgram['notices'];
  readonly checkpoint: Checkpoint;
  readonly values: ParameterValues;
  /** Says what is waited for. */
  readonly monitor: Monitor;
  close(): Promise<void>;
}

/**
 * Opens a program and the checkpoint that `--checkpoint` names, or its latest.
 * @throws TuttiError BAD_CHECKPOINT if they do not fit
 */
export async function openTrained(
  path: string,
  { checkpoint: given }: Pick<Settings, 'checkpoint'>,
  { log, renderer }: Pick<Output, 'log' | 'renderer'>,
  context: CliContext,
): Promise<TrainedProgram> {
  const { monitor, closing } = monitorsOf(context, renderer);
  const { program, hash } = await loadProgram(path, context, { monitor, renderer });
  const folder = given ?? runsFolder(program.name ?? 'program');
  // Before TensorFlow is loaded: a wrong path should not take seconds to tell.
  const reading = monitor.race(readCheckpoint(folder), readingCheckpoint);
  // Unnamed wait: what it awaits names its own waits.
  const found = await reading.catch((error) => {
    throw given === undefined && isTuttiError(error)
      ? new TuttiError(error.code, error.message, {
          remedy: `Train it first, or name the checkpoint with --checkpoint. ${error.remedy}`,
          cause: error,
          details: { ...error.details },
        })
      : error;
  });
  if (found.manifest.programHash !== hash) {
    log.warn(
      `the program has changed since ${found.path} was written: its sources had hash ${found.manifest.programHash.slice(0, 12)}, now ${hash.slice(0, 12)}`,
    );
  }
  const open = await openProgram(program, monitor, closing);
  const { data, computation, notices, close } = open;
  try {
    const { parameters, sharing } = computation;
    refuseOtherSharing(found.path, found.manifest.plan.sharing, sharing?.digest);
    const checkpoint = await monitor.race(
      readCheckpoint(found.path, { parameters }),
      readingCheckpoint,
    );
    const values = Object.fromEntries(
      checkpoint.parameters.map(({ name, values }) => [name, values]),
    );
    return { program, hash, data, computation, notices, checkpoint, values, monitor, close };
  } catch (error) {
    return failAfter(close, error);
  }
}
