import { type Checkpoint, readCheckpoint } from '@tutti/checkpoint';
import type { Settings } from '@tutti/config';
import { loadProgram } from '@tutti/launch';
import { isTuttiError, TuttiError } from '@tutti/runtime';
import type { Logger } from '@tutti/telemetry';
import type { Computation, ParameterValues, Program, ProgramData } from '@tutti/worker';
import { runFolder } from './folders.js';

/** A program with the weights that a run of it left. */
export interface TrainedProgram {
  readonly program: Program;
  readonly hash: string;
  readonly data: ProgramData;
  readonly computation: Computation;
  readonly checkpoint: Checkpoint;
  readonly values: ParameterValues;
  close(): Promise<void>;
}

/**
 * Opens a program and the checkpoint that `--checkpoint` names, or its latest.
 * @throws TuttiError BAD_CHECKPOINT if they do not fit
 */
export async function openTrained(
  path: string,
  { checkpoint: given }: Pick<Settings, 'checkpoint'>,
  log: Logger,
): Promise<TrainedProgram> {
  const { program, hash } = await loadProgram(path);
  const folder = given ?? runFolder(program.name ?? 'program');
  // Before TensorFlow is loaded: a wrong path should not take seconds to tell.
  const found = await readCheckpoint(folder).catch((error) => {
    throw given === undefined && isTuttiError(error)
      ? new TuttiError(error.code, error.message, {
          remedy: `Train it first, or name the checkpoint with --checkpoint. ${error.remedy}`,
          cause: error,
          details: { ...error.details },
        })
      : error;
  });
  if (found.manifest.programHash !== hash) {
    log.warn('the program has changed since this checkpoint was written', {
      checkpoint: found.path,
      writtenBy: found.manifest.programHash,
      now: hash,
    });
  }
  const data = await program.data();
  let computation: Computation | undefined;
  const close = async () => {
    await computation?.close?.();
    await data.training.close?.();
    await data.evaluation?.close?.();
  };
  try {
    computation = await program.open();
    const checkpoint = await readCheckpoint(found.path, { parameters: computation.parameters });
    const values = Object.fromEntries(
      checkpoint.parameters.map(({ name, values }) => [name, values]),
    );
    return { program, hash, data, computation, checkpoint, values, close };
  } catch (error) {
    await close();
    throw error;
  }
}
