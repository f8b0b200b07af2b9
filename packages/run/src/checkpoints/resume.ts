import {
  latestCheckpoints,
  locateCheckpoint,
  type Manifest,
  readManifest,
} from '@tutti/checkpoint';
import { badCheckpoint } from '@tutti/checkpoint/internal';
import type { ProgramDescription } from '@tutti/protocol';
import type { WarningEvent } from '@tutti/telemetry';
import { resolvePlan } from '../plan.js';
import { type CheckpointFolderInit, directoryOf } from './checkpoint-folder.js';
import { firstGood, readPoint, refuseOther, refuseOtherSharing } from './resume-point.js';
import type { Resume } from './snapshot.js';

/**
 * Goes on from a checkpoint, or from the last in a folder of them. For `latest` that is the folder
 * of this run's checkpoints, and one that is damaged or of another run is passed over with a
 * warning: the one before is used. Where none was written yet the run begins from the start, with a
 * warning; not where none of those that were can be used.
 * @param which `latest` or a path
 */
export function resumeFrom(which: string, directory: CheckpointFolderInit['directory']): Resume {
  return async ({ description, settings, workers, emit }) => {
    const isLatest = which === 'latest';
    const folder = directoryOf(directory, description.name);
    const read = async (path: string) => {
      // Unnamed wait: the caller races it.
      const manifest = await readManifest(path);
      refuseForeign(path, manifest, description);
      const plan = resolvePlan({ description, settings, workers, previous: manifest.plan });
      refuseOther(path, manifest, plan);
      return readPoint(path, plan);
    };
    // Unnamed wait: the caller races it.
    if (!isLatest) return read(await locateCheckpoint(which));
    // Unnamed wait: the caller races it.
    const listed = await latestCheckpoints(folder);
    if (listed.length === 0) {
      emit(fromTheStart(folder));
      return undefined;
    }
    const { point, passed } = await firstGood(listed, emit, read);
    if (point === undefined) throw passed[0];
    return point;
  };
}

function refuseForeign(
  path: string,
  manifest: Manifest,
  { name, hash, sharing }: ProgramDescription,
): void {
  const { programName, sharing: before } = manifest.plan;
  if (manifest.programHash === hash) {
    refuseOtherSharing(path, before, sharing);
    return;
  }
  throw badCheckpoint(
    path,
    programName === name
      ? `the program ${name} has changed since: its sources had hash ${manifest.programHash.slice(0, 12)}, now ${hash.slice(0, 12)}`
      : `it is of another program, ${programName} instead of ${name}`,
    'Use the program as it was when this was written, or another checkpoint.',
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
