import { dirname } from 'node:path';
import { ensureFolder } from '@tutti/runtime';
import { type FileSystem, nodeFileSystem, replaceDurably } from './files.js';
import { withStorageErrors } from './storage-error.js';

/**
 * Writes a file, with the folders above it, durably and all or nothing.
 * @param bytes how many there are in the pieces, for the message if the disk is full
 * @throws TuttiError STORAGE
 */
export async function writeWhole(
  path: string,
  pieces: Iterable<Uint8Array>,
  bytes: number,
  fs: FileSystem = nodeFileSystem,
): Promise<void> {
  await withStorageErrors(fs, { path, neededBytes: bytes }, async () => {
    await ensureFolder(dirname(path), fs.mkdir);
    await replaceDurably(fs, path, pieces);
  });
}
