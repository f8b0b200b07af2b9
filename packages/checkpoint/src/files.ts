import { createHash } from 'node:crypto';
import * as promises from 'node:fs/promises';

/** What is used of node:fs/promises to write; tests put failing disks in its place. */
export type FileSystem = Pick<
  typeof promises,
  'mkdir' | 'open' | 'readdir' | 'rename' | 'rm' | 'stat' | 'statfs'
>;

export const nodeFileSystem: FileSystem = promises;

const SLICE_BYTES = 4 << 20;

/** What was written. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes a new file from pieces and returns once the disk has it. */
export async function writeDurably(
  fs: FileSystem,
  path: string,
  pieces: Iterable<Uint8Array>,
): Promise<WrittenFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await fs.open(path, 'wx');
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        const slice = piece.subarray(at, at + SLICE_BYTES);
        const { bytesWritten } = await handle.write(slice);
        hash.update(slice.subarray(0, bytesWritten));
        at += bytesWritten;
      }
      bytes += piece.length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Makes the names in a folder durable. Windows has no such call; there it does nothing. */
export async function syncFolder(fs: FileSystem, path: string): Promise<void> {
  let handle: promises.FileHandle | undefined;
  try {
    handle = await fs.open(path, 'r');
    await handle.sync();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'EISDIR' && code !== 'EINVAL') throw error;
  } finally {
    await handle?.close();
  }
}
