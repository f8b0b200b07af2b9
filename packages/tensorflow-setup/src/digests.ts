import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** SHA-256 digests in hexadecimal, by path relative to the folder. */
export type Digests = Readonly<Record<string, string>>;

const LIST = 'digests.json';

/** @returns the SHA-256 digest of a file's content, in hexadecimal. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  // Unnamed wait: the caller races it.
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/**
 * Checks every listed file.
 *
 * @throws Error naming the first file that is missing or differs, with both digests.
 */
export async function checkDigests(folder: string, expected: Digests): Promise<void> {
  for (const [path, digest] of Object.entries(expected)) {
    const found = await digestOfFile(join(folder, path));
    if (found !== digest) {
      throw new Error(`${join(folder, path)} has SHA-256 ${found}, expected ${digest}`);
    }
  }
}

/** Remembers a folder's digests inside it. */
export async function writeDigests(folder: string, digests: Digests): Promise<void> {
  // Unnamed wait: a small file of this machine.
  await writeFile(join(folder, LIST), `${JSON.stringify(digests, null, 2)}\n`);
}

/** Whether the folder holds what `writeDigests` remembered, bit for bit. */
export async function isIntact(folder: string): Promise<boolean> {
  try {
    // Unnamed wait: the caller races it.
    await checkDigests(folder, JSON.parse(await readFile(join(folder, LIST), 'utf8')) as Digests);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads the digests from a wheel's RECORD: lines `path,sha256=<base64url>,size`.
 * Format: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
 */
export function parseRecord(text: string): Digests {
  const digests: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^([^,"]+),sha256=([\w-]+),\d*\r?$/.exec(line);
    if (match) digests[match[1]!] = Buffer.from(match[2]!, 'base64url').toString('hex');
  }
  return digests;
}
