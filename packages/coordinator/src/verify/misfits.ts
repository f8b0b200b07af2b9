import {
  type JobPlan,
  type MisfitContribution,
  microBatchSize,
  type ShardReport,
} from '@tutti/protocol';
import type { Offer } from '@tutti/reduction';
import { TuttiError } from '@tutti/runtime';
import type { Member } from '../workers/roster.js';

/** What a worker has said that cannot be, whatever the data and the weights are. */
export interface Misfit {
  /** Those that it said it of. */
  readonly shards: readonly number[];
  readonly error: TuttiError;
}

type Who = Pick<Member, 'worker' | 'host'>;

/** The first report of a step whose number of examples is not that of its micro-batch. */
export function miscounted(
  plan: JobPlan,
  step: number,
  who: Who,
  reports: readonly ShardReport[],
): Misfit | undefined {
  for (const { shard, count } of reports) {
    const known = shard < plan.shards ? microBatchSize(plan, step, shard) : undefined;
    if (count === known) continue;
    const has = known === undefined ? 'there is no such shard' : `it has ${known}`;
    return misfit(who, [shard], `took ${count} examples of shard ${shard} in step ${step}: ${has}`);
  }
  return undefined;
}

/** A contribution that is no node of the tree, or has not the length of its chunk. */
export function noNode(
  who: Who,
  { lo, hi, chunk, step }: MisfitContribution,
  bytes: number,
): Misfit {
  const what = `sent ${bytes} bytes for [${lo}, ${hi}) of chunk ${chunk} of step ${step}: that is no sum of a node of the tree`;
  return misfit(who, [], what);
}

/** What comes of a contribution; `no-sum` if it has not the length of its chunk. */
export function offerOf(contribute: () => Offer): Offer | 'no-sum' {
  try {
    return contribute();
  } catch (error) {
    if (error instanceof RangeError) return 'no-sum';
    throw error;
  }
}

function misfit({ worker, host }: Who, shards: readonly number[], what: string): Misfit {
  const { hostname, pid } = host;
  const error = new TuttiError(
    'BAD_FRAME',
    `Worker ${worker} (${hostname}, process ${pid}) ${what}. It is excluded`,
    {
      remedy: 'Check that it runs the same version of Tutti, and test its memory.',
      details: { worker },
    },
  );
  return { shards, error };
}
