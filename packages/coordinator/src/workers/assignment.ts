import { WORTH_MOVING } from '../tunables.js';
import { medianSpeed } from './median.js';

/** A worker, as far as sharing out the work is concerned. */
export interface Assignee {
  readonly name: string;
  /** Shards that it computes in a millisecond, as measured; absent before there is a measurement. */
  readonly speed?: number | undefined;
  /** What it has now. */
  readonly shards: readonly number[];
}

export type Shares = ReadonlyMap<string, readonly number[]>;

/**
 * Gives every shard in [0, shards) to exactly one worker, so that the slowest is done as early as
 * possible: a worker half as fast gets half the shards. Everybody keeps what it may keep, so no more
 * shards move than the numbers demand; a worker's shards are neighbours where that is possible, so
 * that it can add up most of what it computes by itself.
 */
export function assignShards(shards: number, workers: readonly Assignee[]): Shares {
  if (workers.length === 0) return new Map();
  const counts = shareOut(shards, workers);
  // Whoever holds lower shards stays lower; newcomers come last.
  const order = [...workers].sort(
    (a, b) => middleOf(a.shards, shards) - middleOf(b.shards, shards),
  );
  const free = new Set(Array.from({ length: shards }, (_, shard) => shard));
  const taken = new Map<string, number[]>();
  for (const { name, shards: had } of order) {
    const mine = [...new Set(had)].filter((shard) => free.has(shard)).sort((a, b) => a - b);
    // The end goes: what is kept is one run where it was one.
    const kept = mine.slice(0, counts.get(name)!);
    for (const shard of kept) free.delete(shard);
    taken.set(name, kept);
  }
  for (const { name } of order) {
    const mine = taken.get(name)!;
    while (mine.length < counts.get(name)!) {
      const shard = nearest(free, mine);
      free.delete(shard);
      mine.push(shard);
    }
    mine.sort((a, b) => a - b);
  }
  return taken;
}

/**
 * Another way to share out, if it makes a step shorter by a tenth or more: so what is measured may
 * waver without shards going to and fro.
 */
export function rebalance(shards: number, workers: readonly Assignee[]): Shares | undefined {
  if (workers.some(({ speed, shards: had }) => speed === undefined && had.length > 0))
    return undefined;
  const usual = usualSpeed(workers);
  const slowest = (count: (worker: Assignee) => number) =>
    Math.max(...workers.map((worker) => count(worker) / (worker.speed ?? usual)));
  const now = slowest((worker) => worker.shards.length);
  const shares = assignShards(shards, workers);
  const then = slowest(({ name }) => shares.get(name)!.length);
  return then <= now * WORTH_MOVING ? shares : undefined;
}

/** How many each gets: one after another goes to whoever would be done with one more first. */
function shareOut(shards: number, workers: readonly Assignee[]): ReadonlyMap<string, number> {
  const usual = usualSpeed(workers);
  const counts = new Map(workers.map(({ name }) => [name, 0]));
  for (let shard = 0; shard < shards; shard++) {
    let [best, done] = [workers[0]!, Number.POSITIVE_INFINITY];
    for (const worker of workers) {
      const at = (counts.get(worker.name)! + 1) / (worker.speed ?? usual);
      // Among equals whoever has more gets it: nothing moves for the sake of the order.
      if (at < done || (at === done && spare(worker, counts) > spare(best, counts)))
        [best, done] = [worker, at];
    }
    counts.set(best.name, counts.get(best.name)! + 1);
  }
  return counts;
}

/** The median stands for workers of whom nothing is known. */
function usualSpeed(workers: readonly Assignee[]): number {
  return medianSpeed(workers.flatMap(({ speed }) => speed ?? [])) ?? 1;
}

const spare = ({ name, shards }: Assignee, counts: ReadonlyMap<string, number>) =>
  shards.length - counts.get(name)!;

function middleOf(shards: readonly number[], all: number): number {
  if (shards.length === 0) return all;
  return shards.reduce((sum, shard) => sum + shard, 0) / shards.length;
}

/** The free shard that lies closest to what somebody has; the lowest, if that is nothing. */
function nearest(free: ReadonlySet<number>, mine: readonly number[]): number {
  let [best, least] = [-1, Number.POSITIVE_INFINITY];
  for (const shard of free) {
    const distance = mine.length === 0 ? shard : distanceTo(mine, shard);
    if (distance < least) [best, least] = [shard, distance];
  }
  return best;
}

function distanceTo(mine: readonly number[], shard: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const each of mine) least = Math.min(least, Math.abs(each - shard));
  return least;
}
