import { statSync } from 'node:fs';
import { readCheckpoint, type Tensor } from '@tutti/checkpoint';
import { layoutOf } from '@tutti/parameters';
import type { JobPlan } from '@tutti/protocol';
import {
  digestOf,
  readingCheckpoint,
  readWeights,
  refuseOtherSharing,
  resolvePlan,
} from '@tutti/run';
import { failAfter, isTuttiError, type Monitor, TuttiError } from '@tutti/runtime';
import type { Computation, ParameterValues, Program, ProgramData } from '@tutti/worker';
import { describeProgram, type OpenProgram, openProgram } from '@tutti/worker/internal';
import { runsFolder } from '../output/folders.js';
import type { Output } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { monitorsOf } from '../process/monitors.js';
import { loadProgram } from './load-program.js';

/** The stored parameters that a run left, and the plan that they are evaluated by. */
interface SavedWeights {
  readonly path: string;
  readonly step: number;
  readonly digest: string;
  readonly plan: JobPlan;
  /** In declared order. */
  readonly parameters: readonly Tensor[];
}

/** A program with the weights that a run of it left. */
export interface TrainedProgram {
  readonly program: Program;
  readonly hash: string;
  readonly data: ProgramData;
  readonly computation: Computation;
  /** What is to be said of the data. */
  readonly notices: OpenProgram['notices'];
  readonly saved: SavedWeights;
  readonly values: ParameterValues;
  /** Says what is waited for. */
  readonly monitor: Monitor;
  close(): Promise<void>;
}

/**
 * Opens a program and the checkpoint that `--checkpoint` or `--from` names, or its latest.
 * @param where.from may be a safetensors file, too
 * @throws TuttiError BAD_CHECKPOINT if they do not fit
 */
export async function openTrained(
  path: string,
  where: { readonly checkpoint?: string | undefined; readonly from?: string | undefined },
  { log, renderer }: Pick<Output, 'log' | 'renderer'>,
  context: CliContext,
): Promise<TrainedProgram> {
  const { monitor, closing } = monitorsOf(context, renderer);
  const { program, hash } = await loadProgram(path, context, { monitor, renderer });
  const given = where.from ?? where.checkpoint;
  const folder = given ?? runsFolder(program.name ?? 'program');
  const isFile = where.from !== undefined && isFileAt(where.from);
  // Before TensorFlow is loaded: a wrong path should not take seconds to tell.
  const checkpoint = isFile ? undefined : await readFirst(folder, given === undefined, monitor);
  if (checkpoint !== undefined && checkpoint.programHash !== hash)
    log.warn(
      `the program has changed since ${checkpoint.path} was written: its sources had hash ${checkpoint.programHash.slice(0, 12)}, now ${hash.slice(0, 12)}`,
    );
  const open = await openProgram(program, monitor, closing);
  const { data, computation, notices, close } = open;
  try {
    const saved = await monitor.race(
      checkpoint === undefined
        ? savedInFile(folder, program, hash, open)
        : savedInCheckpoint(checkpoint.path, computation),
      readingCheckpoint,
    );
    const values = Object.fromEntries(saved.parameters.map(({ name, values }) => [name, values]));
    return { program, hash, data, computation, notices, saved, values, monitor, close };
  } catch (error) {
    return failAfter(close, error);
  }
}

const isFileAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

async function readFirst(folder: string, byItself: boolean, monitor: Monitor) {
  try {
    const { path, manifest } = await monitor.race(readCheckpoint(folder), readingCheckpoint);
    return { path, programHash: manifest.programHash };
  } catch (error) {
    if (!byItself || !isTuttiError(error)) throw error;
    throw new TuttiError(error.code, error.message, {
      remedy: `Train it first, or name the checkpoint with --checkpoint. ${error.remedy}`,
      cause: error,
      details: { ...error.details },
    });
  }
}

async function savedInCheckpoint(
  path: string,
  { parameters, sharing }: Computation,
): Promise<SavedWeights> {
  // Unnamed wait: the caller races it.
  const { step, manifest, ...read } = await readCheckpoint(path, { parameters });
  const { plan, digest } = manifest;
  refuseOtherSharing(path, plan.sharing, sharing?.digest);
  return { path, step, digest, plan, parameters: read.parameters };
}

/** A file has no plan: that of the program stands for it. */
async function savedInFile(
  path: string,
  program: Program,
  hash: string,
  { data, computation }: OpenProgram,
): Promise<SavedWeights> {
  const description = describeProgram(program, data, computation, hash);
  // Unnamed wait: the caller races it.
  const { flat } = await readWeights(path, description);
  const plan = resolvePlan({ description, settings: {}, workers: 0 });
  const values = layoutOf(plan).views(flat);
  const parameters = plan.parameters.map(({ name, shape }) => ({
    name,
    shape: [...shape],
    values: values[name]!,
  }));
  return { path, step: 0, digest: digestOf(flat), plan, parameters };
}
