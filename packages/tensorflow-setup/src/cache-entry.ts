import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ensureFolder, withCleanUp } from '@tutti/runtime';
import { isIntact } from './digests.js';
import { type LockOptions, withLock } from './lock.js';
import { createSetupMonitor, readingFolder, removing } from './setup-monitor.js';

export interface CacheEntry extends LockOptions {
  /** The finished folder; it appears whole or not at all. */
  readonly folder: string;
  /** Fills an empty folder, with its digests.json. */
  fill(staging: string): Promise<void>;
}

/**
 * Makes sure that a folder of the cache is there and intact, and fills it if it is not.
 *
 * Safe with several processes: each fills a folder of its own, which a rename makes the finished
 * one; the lock only spares the others the work.
 *
 * @throws whatever `fill` throws; the cache is then as before.
 */
export async function ensureCacheEntry(entry: CacheEntry): Promise<string> {
  const { folder } = entry;
  const monitor = createSetupMonitor(entry);
  const intact = (path: string) => monitor.race(isIntact(path), readingFolder(path));
  if (await intact(folder)) return folder;
  const parent = dirname(folder);
  // Unnamed wait: it is done at once.
  await ensureFolder(parent);
  return withLock(`${folder}.lock`, entry, async () => {
    if (await intact(folder)) return folder;
    const leftovers = `${basename(folder)}.part-`;
    const clean = () => monitor.race(removeLeftovers(parent, leftovers), removing(parent));
    await clean();
    const staging = `${folder}.part-${randomUUID()}`;
    // Unnamed wait: it is done at once.
    await mkdir(staging);
    const remove = () =>
      monitor.race(rm(staging, { recursive: true, force: true }), removing(staging));
    // Unnamed wait: what it awaits names its own waits.
    await withCleanUp(remove, async () => {
      await entry.fill(staging);
      await publish(staging, folder, intact);
    });
    // Children of a killed process may have gone on writing for a while.
    await clean();
    return folder;
  });
}

async function publish(
  staging: string,
  folder: string,
  intact: (path: string) => Promise<boolean>,
): Promise<void> {
  if (!(await intact(staging))) throw new Error(`${staging} does not match its digests`);
  try {
    // Unnamed wait: it is done at once.
    await rename(staging, folder);
  } catch (error) {
    // Somebody else was first, or what is there is damaged.
    if (await intact(folder)) return;
    const damaged = `${folder}.part-${randomUUID()}`;
    // Unnamed wait: it is done at once.
    await rename(folder, damaged).catch(() => {
      throw error;
    });
    // Unnamed wait: it is done at once.
    await rename(staging, folder);
    // Unnamed wait: the caller races it.
    await rm(damaged, { recursive: true, force: true });
  }
}

/** A process that was killed leaves its folder, which holds most of a gigabyte. */
// Unnamed wait: the caller races it.
async function removeLeftovers(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  }
}
