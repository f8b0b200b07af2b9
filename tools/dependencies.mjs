import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Compares what package-lock.json asks for with npm's own note of what is in node_modules.
 *
 * @param {string} root the folder of package-lock.json
 * @returns {string | undefined} what differs first, for a human; undefined if nothing does.
 */
export function firstDifference(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  if (wanted === undefined) throw new Error('package-lock.json is missing or not JSON');
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'nothing is installed';
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/')) continue;
    // npm leaves out a workspace whose folder is gone.
    if (entry.link && !existsSync(join(root, entry.resolved))) continue;
    const found = installed[path];
    // Packages for another platform are never installed.
    if (found === undefined && (entry.optional || entry.peer)) continue;
    const same =
      found !== undefined &&
      Boolean(found.link) === Boolean(entry.link) &&
      found.version === entry.version &&
      found.integrity === entry.integrity;
    if (!same) return path.slice('node_modules/'.length);
  }
  return undefined;
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
