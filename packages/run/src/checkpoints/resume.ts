import {
  latestCheckpoints,
  locateCheckpoint,
  type Manifest,
  readManifest,
} from '@tutti/checkpoint';
import { badCheckpoint, inUse, isAlive, listRuns, readOwner } from '@tutti/checkpoint/internal';
import type { FirstWeights, ProgramDescription } from '@tutti/protocol';
import { isTuttiError, TuttiError } from '@tutti/runtime';
import { type WarningEvent, warningOf } from '@tutti/telemetry';
import { resolvePlan } from '../plan/plan.js';
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
    const unfit: TuttiError[] = [];
    const damaged: TuttiError[] = [];
    // Unnamed wait: the caller races it.
    for (const run of await listRuns(folder)) {
      const reason = await fault(run, planOf);
      if (reason !== undefined) {
        unfit.push(reason);
        continue;
      }
      // Unnamed wait: the caller races it.
      const found = await firstGood(await latestCheckpoints(run), emit, read);
      if (found.point !== undefined) {
        for (const error of unfit) emit(warningOf(error, `${error.message} It was passed over.`));
        return found.point;
      }
      damaged.push(...found.passed);
    }
    if (damaged.length > 0) throw damaged[0];
    if (unfit.length > 0) throw noneFits(folder, unfit);
    emit(fromTheStart(folder));
    return undefined;
  };
}

/** The reason of the newest stands for all of them. */
function noneFits(folder: string, [newest, ...others]: readonly TuttiError[]): TuttiError {
  if (others.length === 0) return newest!;
  const more = others.length === 1 ? 'the other run' : `any of the ${others.length} other runs`;
  return new TuttiError(newest!.code, `${newest!.message} Nor does ${more} in ${folder} fit.`, {
    remedy: newest!.remedy,
    cause: newest!,
    details: { ...newest!.details },
  });
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
  const { differences, longer, sameWeights } = programChanges(description, manifest.plan);
  const begin = sameWeights ? anew(path) : UNLIKE;
  if (programName !== name)
    throw badCheckpoint(
      path,
      `it is of another program, ${programName} instead of ${name}`,
      `Use that program, or another checkpoint. ${begin}`,
    );
  const what =
    differences.length > 0
      ? differences.join('; ')
      : `its sources had hash ${manifest.programHash.slice(0, 12)}, now ${hash.slice(0, 12)}`;
  throw badCheckpoint(
    path,
    `the program ${name} has changed since: ${what}`,
    longer === undefined
      ? `Use the program as it was when this was written. ${begin}`
      : `Use the program as it was when this was written, and make the run longer by ${longer}. ${begin}`,
  );
}

/** What is left where the weights are of another model. */
const UNLIKE =
  'Or begin a new run without --resume; the weights of this one do not fit it: see "Layers of a loaded model" in docs/PROGRAMS.md, and `pretrained` in docs/SHARING.md.';

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
