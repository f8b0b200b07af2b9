import type { Block, Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import { type Contribution, examplesOf, type JobPlan, type ShardReport } from '@tutti/protocol';
import { createReducer, type Offer, unpackedBlock } from '@tutti/reduction';
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
   * Bytes are as they travel, and are copied; a block passes into the step's hands, whatever comes of the offer.
   * @throws RangeError if the values do not have the length of the chunk
   */
  contribute(contribution: Contribution, values: Uint8Array | Block): Offer;
  /**
   * Gives out the sums that can be applied and have not been given out yet: each as soon as it is
   * complete and finite; but at least one waits for the last report, so that nobody reaches the next
   * version while somebody may still have to compute for this one. With clipping by global norm all
   * wait for each other.
   * @param take is given them, one after the other
   * @param admits whether a chunk is wanted now; others are given out by a later call
   * @throws TuttiError NOT_FINITE
   */
  give(take: (ready: ReadySum) => void, admits?: (chunk: number) => boolean): void;
  /** The chunk is at the next version: whatever is still held of its sum is not needed. */
  applied(chunk: number): void;
  /** Some sum was given out: the weights are not those of the version before any more. */
  begun(): boolean;
  /** All shards have reported and all chunks are applied. */
  done(): boolean;
  /** Shards without a report, or whose gradient is not there in full. */
  missing(): number[];
  totals(): Totals;
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
  const chunks = Array.from({ length: layout.chunks }, (_, chunk) => ({
    chunk,
    reducer: createReducer({ kernels, shards, length: layout.chunkLength(chunk) }),
    state: 'open' as 'open' | 'complete' | 'given' | 'applied',
  }));
  const reports = new Map<number, { worker: string; report: ShardReport }>();
  const count = examplesOf(plan, step);
  /** The factor of clipping by global norm: known once every chunk is complete. */
  let scale: number | undefined;
  /** The reports were found in order. */
  let checked = false;

  const totals = () => totalOf([...reports.values()].map(({ report }) => report));

  /** Compressed gradients arrive packed. */
  const unpacked = (chunk: number, values: Uint8Array | Block) =>
    plan.gradientCompression !== undefined && values instanceof Uint8Array
      ? unpackedBlock(kernels, values, layout.chunkLength(chunk))
      : values;

  /** All have reported: whether the numbers add up, and no sum can overflow. */
  function checkReports() {
    const taken = totals().count;
    if (taken !== count)
      throw new TuttiError(
        'INTERNAL',
        `The workers took ${taken} examples in step ${step}, which has ${count}`,
        { remedy: 'Report it.', details: { step } },
      );
    // Each partial sum is at most the sum of the largest magnitudes: so none can overflow.
    const bounds = [...reports.values()].map(({ worker, report }) => ({
      worker,
      shard: report.shard,
      maxAbs: report.maxAbs ?? Number.NaN,
    }));
    const bound = bounds.reduce((sum, { maxAbs }) => sum + maxAbs, 0);
    checked = bound < FLOAT32_MAX;
    if (checked) return;
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

  /** The factor of clipping by global norm; squares are added block by block, in their order. */
  function normScale(): number {
    let squares = 0;
    for (const { chunk, reducer } of chunks)
      for (const { start, length } of layout.trainedBlocks(chunk))
        squares += kernels.sumOfSquares(reducer.sum()!, start, length);
    return createOptimizer(plan.optimizer).normScale(squares, count);
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
      const offer = entry!.reducer.offer(lo, hi, unpacked(chunk, values));
      if (offer === 'complete') entry!.state = 'complete';
      return offer;
    },
    give(take, admits = () => true) {
      const complete = chunks.filter(({ state }) => state === 'complete');
      if (complete.length === 0) return;
      const whole = reports.size === shards;
      if (whole && !checked) checkReports();
      if (clipNorm !== undefined && scale === undefined) {
        if (!whole || complete.length < chunks.length) return;
        scale = normScale();
      }
      const waiting = chunks.filter(({ state }) => state === 'open' || state === 'complete');
      let most = whole ? complete.length : waiting.length - 1;
      for (const entry of complete) {
        if (most === 0) return;
        const sum = entry.reducer.sum()!;
        // What overflows on the way to a sum is not finite in it either.
        if (!admits(entry.chunk) || !(whole || entry.reducer.isFinite())) continue;
        most--;
        entry.state = 'given';
        take({ chunk: entry.chunk, sum, count, scale: scale ?? 1 });
      }
    },
    applied(chunk) {
      const entry = chunks[chunk];
      if (entry === undefined || entry.state === 'applied') return;
      entry.state = 'applied';
      entry.reducer.release();
    },
    begun: () => chunks.some(({ state }) => state === 'given' || state === 'applied'),
    done: () => reports.size === shards && chunks.every(({ state }) => state === 'applied'),
    missing() {
      const missing = new Set<number>();
      for (let shard = 0; shard < shards; shard++) if (!reports.has(shard)) missing.add(shard);
      for (const { state, reducer } of chunks)
        if (state === 'open') for (const shard of reducer.missing()) missing.add(shard);
      return [...missing].sort((a, b) => a - b);
    },
    totals,
    release() {
      for (const { reducer } of chunks) reducer.release();
    },
  };
}
