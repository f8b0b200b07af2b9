import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The project that takes longer than all others: it is done in two halves. */
const LONGEST = '@tutti/test';

/** Folders of its sources whose tests start processes, and wait for them. */
const STARTING = ['cluster', 'processes'];

/** Takes about as long as all that are left. */
const LONG = '@tutti/cli';

/**
 * What may run side by side, each one project after the other, and the longest first: tests leave a core idle
 * for much of their time.
 * @param {string} root of the repository
 * @param {readonly string[]} projects none: all
 * @returns {string[][]} for each lane what Nx is told
 */
export function lanesOf(root, projects) {
  if (projects.length === 0)
    return [...halvesOf(root), ['--projects', LONG], ['--exclude', `${LONGEST},${LONG}`]];
  const others = projects.filter((project) => project !== LONGEST);
  return [
    ...(others.length < projects.length ? halvesOf(root) : []),
    ...(others.length > 0 ? [['--projects', others.join(',')]] : []),
  ];
}

function halvesOf(root) {
  const patterns = readdirSync(join(root, 'test', 'src'), { withFileTypes: true }).map((entry) => ({
    pattern: `src/${entry.name}${entry.isDirectory() ? '/**' : ''}`,
    starts: STARTING.includes(entry.name),
  }));
  return [true, false].map((ignored) => [
    ...['--projects', LONGEST],
    ...patterns
      .filter(({ starts }) => starts === ignored)
      .map(({ pattern }) => `--ignore=${pattern}`),
  ]);
}

/**
 * Calls `task` for each, no more than so many at a time, and gives what they return in the order of `items`.
 */
export async function together(most, items, task) {
  const results = [];
  let next = 0;
  // Unnamed wait: what `task` waits for is known to who calls this.
  async function work() {
    while (next < items.length) {
      const at = next++;
      results[at] = await task(items[at]);
    }
  }
  // Unnamed wait: the same.
  await Promise.all(Array.from({ length: most }, work));
  return results;
}
