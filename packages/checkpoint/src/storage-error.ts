import { isTuttiError, nearestFolder, TuttiError } from '@tutti/runtime';
import type { FileSystem } from './files.js';

export interface StorageContext {
  readonly path: string;
  readonly neededBytes: number;
}

/** What more or less space can change. */
const OF_SPACE: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on that disk, keep fewer checkpoints, or save somewhere else.',
  EDQUOT: 'Your quota on that disk is used up: remove files, or save somewhere else.',
  EROFS: 'That disk is read-only: save somewhere else.',
  EACCES: 'Make the folder writable for this user, or save somewhere else.',
  EPERM: 'Make the folder writable for this user, or save somewhere else.',
  ENOENT: 'Nothing can be made there: save somewhere else.',
  ENOTDIR: 'Part of that path is a file: name a folder.',
  EEXIST: 'That path is a file: name a folder.',
  EMFILE: 'Raise the limit of open files (ulimit -n).',
  EIO: 'The disk reports an error: save somewhere else.',
};

/** Runs `task`, turning what the file system throws into STORAGE with path, sizes and remedy. */
export async function withStorageErrors<T>(
  fs: FileSystem,
  context: StorageContext,
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (isTuttiError(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    // Codes of the system (ENOSPC), not Node's own (ERR_OUT_OF_RANGE), which are faults of ours.
    if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
    throw storageError(context, message, code, await freeBytes(fs, context.path), error);
  }
}

export function storageError(
  { path, neededBytes }: StorageContext,
  reason: string,
  code: string,
  free: number | undefined,
  cause?: unknown,
): TuttiError {
  // Less than there is free can be refused too: what has been written of it is gone by now, or others write.
  const freeOnes = free === undefined || free >= neededBytes ? '' : `, ${free} are free`;
  const space = OF_SPACE.includes(code) ? ` (${neededBytes} bytes are needed${freeOnes})` : '';
  return new TuttiError('STORAGE', `Could not save to ${path}: ${reason}${space}`, {
    remedy: REMEDIES[code] ?? 'Check that disk, or save somewhere else.',
    cause,
    details: { path, code, neededBytes, ...(free === undefined ? {} : { freeBytes: free }) },
  });
}

/** Bytes that this user may still write at `path` or its nearest folder that exists. */
export async function freeBytes(fs: FileSystem, path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize, blocks } = await fs.statfs(nearestFolder(path));
    // Some network file systems tell no sizes.
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
}
