import { randomUUID } from 'node:crypto';
import { cp, rename, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ensureFolder } from '@tutti/runtime';
import { addonEntry } from './addon-entry.js';
import { ADDON, buildAddon, findCompiler } from './build-addon.js';
import { ensureCacheEntry } from './cache-entry.js';
import { isIntact } from './digests.js';
import { bindingPath } from './paths.js';
import { createSetupMonitor, readingFolder } from './setup-monitor.js';
import type { Way } from './way.js';
import { LIBRARIES, PINNED_WHEELS, unpackWheel } from './wheel.js';

/**
 * Builds the addon against the libraries of the Python wheel. Both lie in the cache, once for all
 * checkouts; the package gets a link to the addon.
 * @param formerly another folder that may hold the libraries already: they are copied then
 */
export function createWheelWay(tfjsNode: string, cache: string, formerly?: string): Way {
  return {
    name: 'the addon built against the Python wheel',
    async prepare(context) {
      const platform = `${process.platform}-${process.arch}`;
      const wheel = PINNED_WHEELS[platform];
      if (wheel === undefined) {
        const known = Object.keys(PINNED_WHEELS).join(' and ');
        throw new Error(`there is a wheel for ${known} only, this is ${platform}`);
      }
      if (usesMusl()) throw new Error('the wheel needs glibc 2.27 or newer, this system has musl');
      await findCompiler(context);
      const libraries = await ensureCacheEntry({
        ...context,
        folder: join(cache, `tensorflow-${wheel.version}-${platform}`),
        async fill(staging) {
          const monitor = createSetupMonitor(context);
          const other = formerly && join(formerly, `tensorflow-${wheel.version}-${platform}`);
          if (other === undefined || !(await monitor.race(isIntact(other), readingFolder(other))))
            return unpackWheel(wheel, staging, context);
          context.report(`Copying the TensorFlow library from ${other}.`);
          const copying = cp(other, staging, { recursive: true });
          await monitor.race(copying, {
            who: 'the disk',
            what: `take 1 GB in ${staging}`,
            remedy: 'See whether it is slow, or full.',
          });
        },
      });
      const name = basename(libraries);
      const addon = await ensureCacheEntry({
        ...context,
        folder: join(cache, addonEntry(name)),
        fill: (staging) => buildAddon(tfjsNode, { folder: libraries, name }, staging, context),
      });
      await replaceLink(join(addon, ADDON), bindingPath(tfjsNode));
      return LIBRARIES.map((library) => join(libraries, 'tensorflow', library));
    },
  };
}

// Unnamed wait: a link on this machine.
async function replaceLink(target: string, link: string): Promise<void> {
  await ensureFolder(dirname(link));
  const fresh = `${link}.${randomUUID()}`;
  await symlink(target, fresh);
  await rename(fresh, link);
}

function usesMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report.getReport() as unknown as { header: Record<string, unknown> };
  return report.header.glibcVersionRuntime === undefined;
}
