import { existsSync, statSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and the folders above it that are not there. Node's own `recursive` never returns,
 * and stops the whole process, where a folder exists that says of what is made in it that it does not
 * (/proc, the mount points of an automounter).
 * @throws what `mkdir` throws
 */
export async function ensureFolder(
  path: string,
  mkdir: (path: string) => Promise<unknown> = promises.mkdir,
): Promise<void> {
  const missing = [resolve(path)];
  const there = nearestFolder(dirname(missing[0]!));
  while (dirname(missing[0]!) !== there) missing.unshift(dirname(missing[0]!));
  for (const folder of missing) {
    try {
      await mkdir(folder);
    } catch (error) {
      if (!isFolder(folder)) throw error;
    }
  }
}

/** The path, or the nearest above it that exists; the root, if none does. */
export function nearestFolder(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

const isFolder = (path: string) =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
