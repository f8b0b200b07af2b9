import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { badCheckpoint } from './bad-checkpoint.js';
import { ASIDE_PREFIX, type FileSystem } from './files.js';
import { MANIFEST_FILE } from './manifest.js';
import { gone, isRunFolder, LATEST_FILE, latestName, listRuns, namesIn } from './runs.js';

/** A folder left aside by a process that was killed is removed once it is this much older. */
const LEFTOVER_AGE_MS = 3_600_000;

export interface ListedCheckpoint {
  readonly step: number;
  readonly path: string;
}

export function folderName(step: number): string {
  return `step-${String(step).padStart(9, '0')}`;
}

/**
 * The checkpoints of a folder by their names, by rising step; not checked. None if there is no such
 * folder. Throws BAD_CHECKPOINT if it cannot be read: nobody knows then what is in it.
 */
export async function listCheckpoints(directory: string): Promise<readonly ListedCheckpoint[]> {
  return (await namesIn(directory))
    .map((name) => ({ match: /^step-(\d{9,})$/.exec(name), path: join(directory, name) }))
    .filter(({ match }) => match !== null)
    .map(({ match, path }) => ({ step: Number(match![1]), path }))
    .sort((a, b) => a.step - b.step);
}

/**
 * A checkpoint folder itself, or the latest in a folder of checkpoints or of runs. Throws
 * BAD_CHECKPOINT.
 */
export async function locateCheckpoint(path: string): Promise<string> {
  if (await exists(join(path, MANIFEST_FILE))) return path;
  const directory = basename(path) === LATEST_FILE ? dirname(path) : path;
  for (const run of await listRuns(directory)) {
    const listed = await listCheckpoints(run);
    const named = await latestName(run);
    const latest = listed.find((item) => basename(item.path) === named) ?? listed.at(-1);
    if (latest !== undefined) return latest.path;
  }
  throw badCheckpoint(
    path,
    (await exists(path)) ? 'there is no checkpoint in it' : 'it does not exist',
    'Name a step-... folder, or the folder that holds them.',
  );
}

/**
 * The checkpoints to try when the latest is wanted: the one that was written last, then those of
 * fewer steps from the newest on. If it is not known which was last, all. Not checked. Throws
 * BAD_CHECKPOINT if one is said to have been written and there is none.
 */
export async function latestCheckpoints(directory: string): Promise<readonly ListedCheckpoint[]> {
  const listed = await listCheckpoints(directory);
  const named = await latestName(directory);
  const last = listed.findIndex((item) => basename(item.path) === named);
  if (listed.length === 0 && named !== '' && !isRunFolder(named)) throw gone(directory, named);
  return (last < 0 ? [...listed] : listed.slice(0, last + 1)).reverse();
}

/** Folders that killed processes left aside, seen from a folder that has just been made. */
export async function leftovers(
  fs: FileSystem,
  directory: string,
  made: string,
): Promise<string[]> {
  const now = (await fs.stat(made)).mtimeMs;
  const found: string[] = [];
  for (const name of await fs.readdir(directory)) {
    if (!name.startsWith(ASIDE_PREFIX)) continue;
    const path = join(directory, name);
    const left = await fs.stat(path).catch(() => undefined);
    if (left !== undefined && now - left.mtimeMs > LEFTOVER_AGE_MS) found.push(path);
  }
  return found;
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
