import { randomBytes } from 'node:crypto';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { failAfter, TuttiError, withCleanUp } from '@tutti/runtime';
import { type JobKey, KEY_BYTES } from './job-key.js';

/**
 * Writes a new key of 32 random bytes, which only its owner may read.
 * @throws TuttiError STORAGE if it cannot be written, or is there already
 */
export async function createKeyFile(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await withCleanUp(
        () => file.close(),
        async () => {
          await file.writeFile(randomBytes(KEY_BYTES));
          await file.sync();
        },
      );
    } catch (error) {
      return await failAfter(() => rm(path), error);
    }
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const why = exists ? 'it is there already' : (cause as Error).message;
    throw new TuttiError('STORAGE', `The key file ${path} cannot be written: ${why}.`, {
      remedy: exists
        ? 'Use it, or give another name. If it is to be replaced, remove it first: whoever has it can then no longer take part.'
        : 'Give a path in a folder that can be written to.',
      cause,
      details: { path },
    });
  }
}

/**
 * Reads a key. Whatever can be read like a file will do, such as /dev/stdin.
 * @throws TuttiError BAD_CONFIG if it is none, or others could have read it
 */
export async function readKeyFile(path: string): Promise<JobKey> {
  let mode: number;
  let key: Buffer;
  try {
    ({ mode } = await stat(path));
    if (isReadByOthers(mode)) throw exposed(path, mode);
    key = await readFile(path);
  } catch (cause) {
    if (cause instanceof TuttiError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'it does not exist' : (cause as Error).message;
    throw new TuttiError('BAD_CONFIG', `The key file ${path} cannot be read: ${why}.`, {
      remedy: 'Correct the path, or make a key: tutti keys job.key',
      cause,
      details: { path },
    });
  }
  if (key.length !== KEY_BYTES)
    throw new TuttiError(
      'BAD_CONFIG',
      `The key file ${path} has ${key.length} bytes, and a key has ${KEY_BYTES}.`,
      {
        remedy: 'Copy it again, byte for byte, or make a new key: tutti keys job.key',
        details: { path },
      },
    );
  return key;
}

/** As Kubernetes gives a Secret to the group of a pod (fsGroup). */
const SECRET_OF_A_GROUP = 0o440;

function isReadByOthers(mode: number): boolean {
  // Windows has no such bits.
  if (process.platform === 'win32') return false;
  const permissions = mode & 0o777;
  return (permissions & 0o077) !== 0 && permissions !== SECRET_OF_A_GROUP;
}

function exposed(path: string, mode: number): TuttiError {
  const permissions = (mode & 0o777).toString(8).padStart(4, '0');
  return new TuttiError(
    'BAD_CONFIG',
    `The key file ${path} can be reached by others than its owner (mode ${permissions}).`,
    {
      remedy: `Take that from them: chmod 600 ${path}. If they may have read it, make a new key: tutti keys job.key`,
      details: { path, mode: permissions },
    },
  );
}
