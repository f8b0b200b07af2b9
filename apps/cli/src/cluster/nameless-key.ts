import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where processes find a key that they were started with. Standard streams and the channel come before. */
export const KEY_DESCRIPTOR = 4;
export const NAMELESS_KEY = `/dev/fd/${KEY_DESCRIPTOR}`;

/**
 * Keeps a key in a file without a name, which is gone with the processes that have it open.
 * @returns a descriptor
 */
export function holdKey(key: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-key-'));
  const path = join(folder, 'key');
  try {
    writeFileSync(path, key, { mode: 0o600 });
    return openSync(path, 'r');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
