import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ensureFolder, toTuttiError } from '@tutti/runtime';

/**
 * Writes a file all or nothing, with the folders above it.
 * @param what it is, for the message
 * @returns its absolute path
 * @throws TuttiError STORAGE
 */
export function writeWhole(file: string, content: Uint8Array, what = 'model'): Promise<string> {
  const path = resolve(file);
  const partial = `${path}.partial`;
  return ensureFolder(dirname(path))
    .then(() => writeFile(partial, content))
    .then(() => rename(partial, path))
    .then(() => path)
    .catch((error) => {
      rm(partial, { force: true }).catch(() => {});
      throw toTuttiError(
        error,
        'STORAGE',
        `The ${what} could not be written to ${path}`,
        'Choose a folder that is writable and has room.',
      );
    });
}

/** What a command waits for that writes files. */
export const untilDiskTakes = (what: string) => ({
  who: 'the disk',
  what: `take ${what}`,
  remedy: 'See whether it is full, or slow.',
});
