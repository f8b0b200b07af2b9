import { createHeap } from '@tutti/runtime';
import { WORTH_MOVING } from '../tunables.js';
import { createFreeShards } from './free-shards.js';
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
  const free = createFreeShards(shards);
  const taken = new Map<string, number[]>();
  for (const { name, shards: had } of order) {
    const mine = [...new Set(had)].filter(free.has).sort((a, b) => a - b);
    // The end goes: what is kept is one run where it was one.
    const kept = mine.slice(0, counts.get(name)!);
    kept.forEach(free.take);
    taken.set(name, kept);
  }
  for (const { name } of order) {
    const mine = taken.get(name)!;
    while (mine.length < counts.get(name)!) {
      const shard = free.nearest(mine)!;
      free.take(shard);
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
  const candidates = createHeap<Candidate>(
    (a, b) =>
      a.doneAt < b.doneAt ||
      // Among equals whoever has more gets it: nothing moves for the sake of the order.
      (a.doneAt === b.doneAt && (a.spare > b.spare || (a.spare === b.spare && a.at < b.at))),
  );
  const candidate = (worker: Assignee, at: number, count: number): Candidate => ({
    ...{ worker, at, count },
    doneAt: (count + 1) / (worker.speed ?? usual),
    spare: worker.shards.length - count,
  });
  for (const [at, worker] of workers.entries()) candidates.put(candidate(worker, at, 0));
  for (let shard = 0; shard < shards; shard++) {
    const { worker, at, count } = candidates.take()!;
    candidates.put(candidate(worker, at, count + 1));
  }
  const counts = new Map<string, number>();
  for (let each = candidates.take(); each !== undefined; each = candidates.take())
    counts.set(each.worker.name, each.count);
  return counts;
}

/** A worker with so many shards, as to whether it gets one more. */
interface Candidate {
  readonly worker: Assignee;
  /** Its place among the workers. */
  readonly at: number;
  readonly count: number;
  /** When it would be done with one more. */
  readonly doneAt: number;
  /** How many more it has now. */
  readonly spare: number;
}

/** The median stands for workers of whom nothing is known. */
function usualSpeed(workers: readonly Assignee[]): number {
  return medianSpeed(workers.flatMap(({ speed }) => speed ?? [])) ?? 1;
}

function middleOf(shards: readonly number[], all: number): number {
  if (shards.length === 0) return all;
  return shards.reduce((sum, shard) => sum + shard, 0) / shards.length;
}
