import {
  latestCheckpoints,
  locateCheckpoint,
  type Manifest,
  readManifest,
} from '@tutti/checkpoint';
import { badCheckpoint, inUse, isAlive, listRuns, readOwner } from '@tutti/checkpoint/internal';
import type { FirstWeights, ProgramDescription } from '@tutti/protocol';
import { isTuttiError, type TuttiError } from '@tutti/runtime';
import { type WarningEvent, warningOf } from '@tutti/telemetry';
import { resolvePlan } from '../plan.js';
import { type CheckpointFolderInit, directoryOf } from './checkpoint-folder.js';
import { programChanges } from './program-changes.js';
import { anew, firstGood, readPoint, refuseOther, refuseOtherSharing } from './resume-point.js';
import type { Resume } from './snapshot.js';

/**
 * Goes on from a checkpoint, or from the last in a folder of them. For `latest` that is the run in
 * `directory` that wrote last, of those that these settings can go on with and that no process is
 * writing. A checkpoint that is damaged is passed over with a warning, as is a run that does not fit.
 * Where none was written yet the run begins from the start, with a warning; not where none of those
 * that were can be used.
 * @param which `latest` or a path
 * @param began the weights that the run must have begun with; anything, if not given
 */
export function resumeFrom(
  which: string,
  directory: CheckpointFolderInit['directory'],
  began?: FirstWeights,
): Resume {
  return async ({ description, settings, workers, emit }) => {
    const folder = directoryOf(directory, description.name);
    const planOf = (path: string, manifest: Manifest) => {
      refuseForeign(path, manifest, description);
      const { plan: previous } = manifest;
      const plan = resolvePlan({ description, settings, workers, previous, firstWeights: began });
      refuseOther(path, manifest, plan);
      return plan;
    };
    const read = async (path: string) => {
      // Unnamed wait: the caller races it.
      const manifest = await readManifest(path);
      return readPoint(path, planOf(path, manifest));
    };
    // Unnamed wait: the caller races it.
    if (which !== 'latest') return read(await locateCheckpoint(which));
    const passed: TuttiError[] = [];
    const pass = (error: TuttiError) => {
      passed.push(error);
      emit(warningOf(error, `${error.message} It was passed over.`));
    };
    // Unnamed wait: the caller races it.
    for (const run of await listRuns(folder)) {
      const unfit = await fault(run, planOf);
      if (unfit !== undefined) {
        pass(unfit);
        continue;
      }
      // Unnamed wait: the caller races it.
      const found = await firstGood(await latestCheckpoints(run), emit, read);
      if (found.point !== undefined) return found.point;
      passed.push(...found.passed);
    }
    if (passed.length > 0) throw passed[0];
    emit(fromTheStart(folder));
    return undefined;
  };
}

/** Why a whole run is not the one to go on with; what is damaged in it does not count. */
async function fault(
  run: string,
  planOf: (path: string, manifest: Manifest) => unknown,
): Promise<TuttiError | undefined> {
  // Unnamed wait: the caller races it.
  const owner = await readOwner(run);
  if (owner !== undefined && isAlive(owner)) return inUse(run, owner);
  try {
    // Unnamed wait: the caller races it.
    for (const { path } of await latestCheckpoints(run)) {
      // Unnamed wait: the caller races it.
      const manifest = await readManifest(path).catch(() => undefined);
      if (manifest === undefined) continue;
      planOf(path, manifest);
      return undefined;
    }
  } catch (error) {
    if (isTuttiError(error) && error.code === 'BAD_CHECKPOINT') return error;
    throw error;
  }
  return undefined;
}

function refuseForeign(path: string, manifest: Manifest, description: ProgramDescription): void {
  const { name, hash, sharing } = description;
  const { programName, sharing: before } = manifest.plan;
  if (manifest.programHash === hash) {
    refuseOtherSharing(path, before, sharing);
    return;
  }
  const same = programName === name;
  const { differences, flags } = programChanges(description, manifest.plan);
  const what = same && differences.length > 0 ? `; ${differences.join('; ')}` : '';
  throw badCheckpoint(
    path,
    same
      ? `the program ${name} has changed since: its sources had hash ${manifest.programHash.slice(0, 12)}, now ${hash.slice(0, 12)}${what}`
      : `it is of another program, ${programName} instead of ${name}`,
    (same && flags !== undefined
      ? `Use the program as it was when this was written, and for a run of another length give ${flags}; or another checkpoint. `
      : 'Use the program as it was when this was written, or another checkpoint. ') + anew(path),
  );
}

function fromTheStart(folder: string): WarningEvent {
  return {
    event: 'warning',
    code: 'NO_CHECKPOINT',
    message: `There is no checkpoint in ${folder} yet: the run begins from the start`,
    remedy: 'If there should be one, name its folder with --checkpoint-dir.',
  };
}

/** The wait for a checkpoint to go on from. */
export const readingCheckpoint = {
  who: 'the disk',
  what: 'read a checkpoint',
  remedy: 'See whether the folder of checkpoints can be read.',
};
