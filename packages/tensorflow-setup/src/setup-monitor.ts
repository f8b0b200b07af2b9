import { createMonitor, type Monitor, systemClock } from '@tutti/runtime';
import type { WayContext } from './way.js';

/**
 * Names whom the set-up waits for, whenever that takes long. It ends no wait: what the set-up starts
 * has limits of its own, and must have ended before its files are removed.
 */
export function createSetupMonitor({ report, clock = systemClock }: WayContext): Monitor {
  return createMonitor({
    clock,
    onWaiting({ who, what, sinceMs, remedy }) {
      const seconds = Math.round(sinceMs / 1000);
      report(`Waiting for ${who} to ${what}, for ${seconds} s now. ${remedy}`);
    },
  });
}

/** Reading most of a gigabyte takes seconds, and minutes where a disk is slow. */
export const readingFolder = (folder: string) => ({
  who: 'the disk',
  what: `read ${folder} and compare it with its digests`,
  remedy: 'See whether the disk is slow; TUTTI_CACHE names another folder for the cache.',
});

export const removing = (what: string) => ({
  who: 'the disk',
  what: `remove what is left over in ${what}`,
  remedy: 'See whether the disk is slow; TUTTI_CACHE names another folder for the cache.',
});
