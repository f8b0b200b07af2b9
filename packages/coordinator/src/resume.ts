import {
  badCheckpoint,
  latestCheckpoints,
  locateCheckpoint,
  type Manifest,
  readManifest,
} from '@tutti/checkpoint';
import type { ProgramDescription } from '@tutti/protocol';
import { isTuttiError } from '@tutti/runtime';
import { type CheckpointFolderInit, directoryOf } from './checkpoint-folder.js';
import type { Resume } from './checkpoint-sink.js';
import { resolvePlan } from './plan.js';
import { readPoint, refuseOther } from './resume-point.js';

/**
 * Goes on from a checkpoint, or from the last in a folder of them. For `latest` that is the folder
 * of this run's checkpoints, and one that is damaged or of another run is passed over with a
 * warning: the one before is used.
 * @param which `latest` or a path
 */
export function resumeFrom(which: string, directory: CheckpointFolderInit['directory']): Resume {
  return async ({ description, settings, workers, emit }) => {
    const isLatest = which === 'latest';
    const folder = directoryOf(directory, description.name);
    const paths = isLatest
      ? (await latestCheckpoints(folder)).map(({ path }) => path)
      : [await locateCheckpoint(which)];
    if (paths.length === 0)
      throw badCheckpoint(
        folder,
        'there is no checkpoint in it',
        'Leave --resume out to start from the beginning, or name the folder with --checkpoint-dir.',
      );
    let first: unknown;
    for (const path of paths) {
      try {
        const manifest = await readManifest(path);
        refuseForeign(path, manifest, description);
        const plan = resolvePlan(description, settings, workers, manifest.plan);
        refuseOther(path, manifest, plan);
        return await readPoint(path, plan);
      } catch (error) {
        if (!isLatest || !isTuttiError(error) || error.code !== 'BAD_CHECKPOINT') throw error;
        first ??= error;
        const { code, message, remedy } = error;
        emit({ event: 'warning', code, message: `${message} It was passed over.`, remedy });
      }
    }
    throw first;
  };
}

function refuseForeign(path: string, manifest: Manifest, { name, hash }: ProgramDescription): void {
  if (manifest.programHash === hash) return;
  const { programName } = manifest.plan;
  throw badCheckpoint(
    path,
    programName === name
      ? `the program ${name} has changed since: its sources had hash ${manifest.programHash.slice(0, 12)}, now ${hash.slice(0, 12)}`
      : `it is of another program, ${programName} instead of ${name}`,
    'Use the program as it was when this was written, or another checkpoint.',
  );
}
