import { lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the names of folders begin with that hold a graph while TensorFlow reads it. */
export const GRAPH_PREFIX = 'tutti-graph-';

/** A folder is there for seconds. */
const LEFT_BEHIND_MS = 3_600_000;

/**
 * Removes the folders of processes that were killed while they had one. Those of others stay, and so do
 * young ones: whether a process still runs cannot be known where processes of several containers share a disk.
 * @param own one that was made just now, by the clock of that disk
 */
export function sweepGraphs(own: string): void {
  try {
    const { mtimeMs: now, uid } = statSync(own);
    for (const name of readdirSync(dirname(own)).filter((each) => each.startsWith(GRAPH_PREFIX))) {
      const path = join(dirname(own), name);
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory() !== true || found.uid !== uid) continue;
      if (now - found.mtimeMs > LEFT_BEHIND_MS) tryToRemove(path);
    }
  } catch {
    // Whoever may not look there leaves it to others.
  }
}

/** What is left behind there is no reason to end, nor to hide one. */
export function tryToRemove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {}
}
