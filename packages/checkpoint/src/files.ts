import { createHash, randomUUID } from 'node:crypto';
import * as promises from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withCleanUp } from '@tutti/runtime';

/** What is used of node:fs/promises to write; tests put failing disks in its place. */
export type FileSystem = Pick<
  typeof promises,
  'mkdir' | 'open' | 'readdir' | 'rename' | 'rm' | 'stat' | 'statfs'
>;

export const nodeFileSystem: FileSystem = promises;

const SLICE_BYTES = 4 << 20;

/** Before the name of what is not all there yet. */
export const ASIDE_PREFIX = '.tmp-';

/** As `writeDurably`, all or nothing: under another name first, then in the place of what is there. */
export async function replaceDurably(
  fs: FileSystem,
  path: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const folder = dirname(path);
  const aside = join(folder, `${ASIDE_PREFIX}${basename(path)}-${randomUUID()}`);
  try {
    await writeDurably(fs, aside, pieces);
    await fs.rename(aside, path);
    await syncFolder(fs, folder);
  } catch (error) {
    await fs.rm(aside, { force: true }).catch(() => {});
    throw error;
  }
}

/** What was written. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Writes a new file from pieces and returns once the disk has it, and gave the same bytes back.
 * @throws with the code EIO if it gave others
 */
export function writeDurably(
  fs: FileSystem,
  path: string,
  pieces: Iterable<Uint8Array>,
): Promise<WrittenFile> {
  return withFile(fs, path, 'wx+', async (handle) => {
    const hash = createHash('sha256');
    let bytes = 0;
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
    const sha256 = hash.digest('hex');
    const found = await digestOfFile(handle);
    if (found !== sha256)
      throw Object.assign(
        new Error(`the file of ${bytes} bytes has other bytes when it is read back`),
        { code: 'EIO' },
      );
    return { bytes, sha256 };
  });
}

async function digestOfFile(handle: promises.FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const slice = new Uint8Array(SLICE_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(slice, 0, slice.length, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(slice.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function withFile<T>(
  fs: FileSystem,
  path: string,
  flags: string,
  task: (handle: promises.FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await fs.open(path, flags);
  return withCleanUp(
    () => handle.close(),
    () => task(handle),
  );
}

/** Makes the names in a folder durable. Windows has no such call; there it does nothing. */
export async function syncFolder(fs: FileSystem, path: string): Promise<void> {
  try {
    await withFile(fs, path, 'r', (handle) => handle.sync());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'EISDIR' && code !== 'EINVAL') throw error;
  }
}
