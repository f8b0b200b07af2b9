import { evaluationBatchSizes, type JobPlan, microBatchSize } from '@tutti/protocol';
import type { Member } from '../workers/roster.js';
import type { WorkKind } from '../workers/timings.js';
import type { Owed } from './owed.js';

/**
 * Which sizes of micro-batches, and of batches of an evaluation, each worker has computed. The first of
 * a size takes much longer than others (a program may make a graph for it, or compile something), and
 * the worker cannot be heard meanwhile. Which sizes there are follows from the plan.
 */
export interface FirstTimes {
  /** The sizes, in examples, that a worker will meet for the first time in what it owes. */
  ahead(owed: Owed): readonly number[];
  /** A worker has computed a shard. */
  done(member: Member, work: WorkKind, at: number, shard: number): void;
}

export function createFirstTimes(plan: JobPlan): FirstTimes {
  const known = new WeakMap<Member, Set<string>>();
  const keyOf = (work: WorkKind, size: number) => `${work} ${size}`;

  function sizesOf(work: WorkKind, at: number, shard: number): readonly number[] {
    if (work === 'evaluation') return evaluationBatchSizes(plan, shard);
    const size = microBatchSize(plan, at, shard);
    return size === 0 ? [] : [size];
  }

  /** Whoever is given shards has computed its probe: the first micro-batch that has examples. */
  let probed: string | undefined;
  function findProbed(): string {
    for (let shard = 0; shard < plan.shards; shard++) {
      const size = microBatchSize(plan, 0, shard);
      if (size > 0) return keyOf('gradient', size);
    }
    return keyOf('gradient', 0);
  }

  function knownTo(member: Member): Set<string> {
    probed ??= findProbed();
    const sizes = known.get(member) ?? new Set([probed]);
    known.set(member, sizes);
    return sizes;
  }

  return {
    ahead({ member, stage: { work, at }, shards }) {
      const sizes = new Set(shards.flatMap((shard) => sizesOf(work, at, shard)));
      return [...sizes].filter((size) => !knownTo(member).has(keyOf(work, size)));
    },
    done(member, work, at, shard) {
      for (const size of sizesOf(work, at, shard)) knownTo(member).add(keyOf(work, size));
    },
  };
}

/** What a wait says of first times, after what it waits for; empty if there are none. */
export function firstTimesNote(sizes: readonly number[]): string {
  if (sizes.length === 0) return '';
  const listed = [...new Set(sizes)].sort((a, b) => a - b).join(' and ');
  return ` (for the first time with ${listed} ${listed === '1' ? 'example' : 'examples'} at once, which takes longer)`;
}
