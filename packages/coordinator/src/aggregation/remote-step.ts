import type { Layout } from '@tutti/parameters';
import type { JobPlan, SumFacts } from '@tutti/protocol';
import { createStepProgress, type StepProgress } from '@tutti/run';
import type { Servers } from '../servers/servers.js';
import { createHoldersAgreement } from './holders-agreement.js';

/**
 * A step whose sums are elsewhere: each server that holds a chunk makes its own, which is the same. A sum is
 * complete, and a chunk applied, once all of these that live have it.
 */
export interface RemoteStep extends Omit<StepProgress, 'complete' | 'applied' | 'reopen'> {
  /** A server has the complete sum of a chunk, and this is known of it. */
  know(server: number, facts: SumFacts): void;
  /** A server has a chunk at the next version. */
  applied(server: number, chunk: number): void;
  /** The sum of a chunk was given out. @returns those that hold it, and have not applied it */
  given(chunk: number): readonly number[];
  /** Whether workers may be at the next version, though some server is not: that lacks what nobody computes any more. */
  isPassed(): boolean;
  /** In another attempt the sums are made again, whoever may be at the next version. */
  remake(): void;
  release(): void;
}

export function createRemoteStep(init: {
  readonly step: number;
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly servers: Pick<Servers, 'holders'>;
  /** The shards that some sums of this step lack at a server, as far as it has said so. */
  readonly lackedBy: (server: number) => readonly number[];
}): RemoteStep {
  const { step, plan, layout, servers, lackedBy } = init;
  const clips = plan.optimizer.clipNorm !== undefined;
  const known = new Map<number, SumFacts>();
  const summed = createHoldersAgreement(servers);
  const applied = createHoldersAgreement(servers);
  const given = new Set<number>();

  // Servers are asked once all have reported: what they said before says nothing of who has.
  const missing = (chunk: number): readonly number[] =>
    progress.reported() ? servers.holders(chunk).flatMap(lackedBy) : [];
  const progress: StepProgress = createStepProgress({
    ...{ step, plan, layout },
    sums: {
      isFinite: (chunk) => known.get(chunk)!.finite,
      // A norm of nothing would clip nothing.
      squares: (chunk) => known.get(chunk)?.squares ?? [Number.NaN],
      missing,
      isMissing: (chunk, shard) => missing(chunk).includes(shard),
    },
  });

  function look(chunk: number) {
    // A norm takes all sums, also those that were applied for another coordinator.
    const counts = !clips || given.has(chunk);
    if (counts && applied.isReached(chunk)) progress.applied(chunk);
    else if (known.has(chunk) && summed.isReached(chunk)) progress.complete(chunk);
  }

  return {
    ...progress,
    know(server, facts) {
      const { chunk } = facts;
      if (!progress.isOpen(chunk)) return;
      known.set(chunk, facts);
      summed.add(chunk, server);
      look(chunk);
    },
    applied(server, chunk) {
      applied.add(chunk, server);
      // It need not have told that it had the sum.
      summed.add(chunk, server);
      look(chunk);
    },
    given(chunk) {
      given.add(chunk);
      look(chunk);
      return servers.holders(chunk).filter((server) => !applied.has(chunk, server));
    },
    isPassed: () => applied.size() === layout.chunks,
    remake() {
      known.clear();
      summed.clear();
      applied.clear();
      given.clear();
      progress.reopen();
    },
    release() {},
  };
}
