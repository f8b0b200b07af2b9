import type { Block, Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { Contribution, JobPlan, ShardReport } from '@tutti/protocol';
import { createReducer, type Offer } from '@tutti/reduction';
import { TuttiError } from '@tutti/runtime';
import { createOptimizer } from '@tutti/store';
import { type Totals, totalOf } from './totals.js';

/** The sum of one chunk, and what the server must know to apply it. */
export interface ReadySum {
  readonly chunk: number;
  readonly sum: Block;
  readonly count: number;
  readonly scale: number;
}

/**
 * The aggregation of one step: completes the canonical tree of every chunk, and gives out the sums
 * that may be applied. Knows nothing of who sends what over which wire.
 */
export interface Step {
  readonly step: number;
  report(worker: string, report: ShardReport): void;
  hasReport(shard: number): boolean;
  /**
   * Bytes are copied; a block passes into the step's hands, whatever comes of the offer.
   * @throws RangeError if the values do not have the length of the chunk
   */
  contribute(contribution: Contribution, values: Uint8Array | Block): Offer;
  /**
   * The sums that can be applied and have not been given out yet. A sum is given out once every
   * shard has reported, so that nothing that is not finite can reach the weights; with clipping by
   * global norm, once every chunk is complete.
   * @param admits whether a chunk is wanted now; others are given out by a later call
   * @throws TuttiError NOT_FINITE
   */
  ready(admits?: (chunk: number) => boolean): Iterable<ReadySum>;
  /** The chunk is at the next version: whatever is still held of its sum is not needed. */
  applied(chunk: number): void;
  /** All chunks are applied. */
  readonly done: boolean;
  /** Shards without a report, or whose gradient is not there in full. */
  missing(): number[];
  readonly totals: Totals;
  release(): void;
}

/** The largest finite float32. */
const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;

export function createStep(init: {
  readonly step: number;
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
}): Step {
  const { step, plan, layout, kernels } = init;
  const { shards } = plan;
  const { clipNorm } = plan.optimizer;
  const optimizer = createOptimizer(plan.optimizer);
  const chunks = Array.from({ length: layout.chunks }, (_, chunk) => ({
    chunk,
    reducer: createReducer({ kernels, shards, length: layout.chunkLength(chunk) }),
    state: 'open' as 'open' | 'complete' | 'given' | 'applied',
  }));
  const reports = new Map<number, { worker: string; report: ShardReport }>();
  /** Known once every shard has reported and, for a norm, every chunk is complete. */
  let factors: { readonly count: number; readonly scale: number } | undefined;

  function checkRange() {
    // Each partial sum is at most the sum of the largest magnitudes: so none can overflow.
    const bounds = [...reports.values()].map(({ worker, report }) => ({
      worker,
      shard: report.shard,
      maxAbs: report.maxAbs ?? Number.NaN,
    }));
    const bound = bounds.reduce((sum, { maxAbs }) => sum + maxAbs, 0);
    if (bound < FLOAT32_MAX) return;
    const { worker, shard, maxAbs } = bounds.reduce((a, b) => (a.maxAbs >= b.maxAbs ? a : b));
    throw new TuttiError(
      'NOT_FINITE',
      `The gradient sum of step ${step} could exceed float32: shard ${shard} on worker ${worker} has elements up to ${maxAbs}`,
      {
        remedy: 'Lower the learning rate, or clip the gradient by value inside the program.',
        details: { step, shard, worker },
      },
    );
  }

  /** The factor of clipping by global norm; squares are added in the order of the chunks. */
  function normScale(count: number): number {
    if (clipNorm === undefined) return 1;
    let squares = 0;
    for (const { chunk, reducer } of chunks) {
      for (const { start, length, update } of layout.segments(chunk))
        if (update === 'gradient') squares += kernels.sumOfSquares(reducer.sum()!, start, length);
    }
    return optimizer.normScale(squares, count);
  }

  return {
    step,
    report(worker, report) {
      if (!reports.has(report.shard)) reports.set(report.shard, { worker, report });
    },
    hasReport: (shard) => reports.has(shard),
    contribute({ lo, hi, chunk }, values) {
      const entry = chunks[chunk];
      const refused = entry === undefined ? 'no-node' : entry.state !== 'open' && 'duplicate';
      if (refused) {
        if (!(values instanceof Uint8Array)) kernels.free(values);
        return refused;
      }
      const offer = entry!.reducer.offer(lo, hi, values);
      if (offer === 'complete') entry!.state = 'complete';
      return offer;
    },
    *ready(admits = () => true) {
      if (reports.size < shards) return;
      if (factors === undefined) {
        const complete = chunks.filter(({ state }) => state === 'complete').length;
        if (complete === 0 || (clipNorm !== undefined && complete < chunks.length)) return;
        checkRange();
        const { count } = totalOf([...reports.values()].map(({ report }) => report));
        factors = { count, scale: normScale(count) };
      }
      for (const entry of chunks) {
        if (entry.state !== 'complete' || !admits(entry.chunk)) continue;
        entry.state = 'given';
        yield { chunk: entry.chunk, sum: entry.reducer.sum()!, ...factors };
      }
    },
    applied(chunk) {
      const entry = chunks[chunk];
      if (entry === undefined || entry.state === 'applied') return;
      entry.state = 'applied';
      entry.reducer.release();
    },
    get done() {
      return chunks.every(({ state }) => state === 'applied');
    },
    missing() {
      const missing = new Set<number>();
      for (let shard = 0; shard < shards; shard++) if (!reports.has(shard)) missing.add(shard);
      for (const { state, reducer } of chunks)
        if (state === 'open') for (const shard of reducer.missing()) missing.add(shard);
      return [...missing].sort((a, b) => a - b);
    },
    get totals() {
      return totalOf([...reports.values()].map(({ report }) => report));
    },
    release() {
      for (const { reducer } of chunks) reducer.release();
    },
  };
}
