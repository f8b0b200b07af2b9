import type { Layout } from '@tutti/parameters';
import { examplesOf, type JobPlan, type ShardReport } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import { createOptimizer } from '@tutti/store';
import { type Totals, totalOf } from './totals.js';

/** A chunk whose sum may be applied, and what the server must know to do it. */
export interface ReadyChunk {
  readonly chunk: number;
  readonly count: number;
  readonly scale: number;
}

/** What a step has to know of its sums, wherever they are made. */
export interface KnownSums {
  /** Of a complete one: whether nothing in it is infinite or NaN. */
  isFinite(chunk: number): boolean;
  /** Of a complete one: the sum of squares of each block of what is trained, in their order. */
  squares(chunk: number): readonly number[];
  /** The shards that a sum lacks which is not complete. */
  missing(chunk: number): Iterable<number>;
  isMissing(chunk: number, shard: number): boolean;
}

/**
 * What has been reported of one step, and which of its sums may be applied. Knows nothing of where the
 * sums are made, and of who sends what over which wire.
 */
export interface StepProgress {
  readonly step: number;
  report(worker: string, report: ShardReport): void;
  hasReport(shard: number): boolean;
  /** The sum of a chunk is complete. */
  complete(chunk: number): void;
  /** Whether more is to come to the sum of a chunk. */
  isOpen(chunk: number): boolean;
  /**
   * Gives out the chunks whose sums can be applied and have not been given out yet: each as soon as it is
   * complete and finite; but at least one waits for the last report, so that nobody reaches the next
   * version while somebody may still have to compute for this one. With clipping by global norm all
   * wait for each other.
   * @param take is given them, one after the other
   * @param admits whether a chunk is wanted now; others are given out by a later call
   * @throws TuttiError NOT_FINITE
   */
  give(take: (ready: ReadyChunk) => void, admits?: (chunk: number) => boolean): void;
  /** The chunk is at the next version: its sum is not needed any more. */
  applied(chunk: number): void;
  /** All sums are made again. What was reported stays true. */
  reopen(): void;
  /** Some sum was given out: the weights are not those of the version before any more. */
  begun(): boolean;
  /** All shards have reported. */
  reported(): boolean;
  /**
   * All shards have reported and all chunks are applied.
   * @throws TuttiError NOT_FINITE
   */
  done(): boolean;
  /** Shards without a report, or whose gradient is not there in full. */
  missing(): number[];
  isMissing(shard: number): boolean;
  totals(): Totals;
}

/** The largest finite float32. */
const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;

/** A mean gradient whose square can be added up for 256 steps. */
const LARGEST_SQUARED = 2 ** 60;

/** Optimizers that divide by what they have of the squares of gradients: for ever by infinity, where one overflows. */
const SQUARING: ReadonlySet<string> = new Set(['adagrad', 'rmsprop', 'adam', 'adamw', 'adadelta']);

export function createStepProgress(init: {
  readonly step: number;
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly sums: KnownSums;
}): StepProgress {
  const { step, plan, layout, sums } = init;
  const { shards } = plan;
  const { name, clipNorm, clipValue } = plan.optimizer;
  const clipped = clipNorm !== undefined || clipValue !== undefined;
  // Moments that move by their mean are no gradients, but in what shards report as their largest element.
  const mixed = plan.parameters.some(({ update }) => update === 'average');
  const squared = SQUARING.has(name) && !clipped && !mixed;
  const chunks = Array.from({ length: layout.chunks }, (_, chunk) => ({
    chunk,
    state: 'open' as 'open' | 'complete' | 'given' | 'applied',
  }));
  const reports = new Map<number, { worker: string; report: ShardReport }>();
  const count = examplesOf(plan, step);
  /** The factor of clipping by global norm: known once every chunk is complete. */
  let scale: number | undefined;
  /** The reports were found in order. */
  let checked = false;

  const totals = () => totalOf([...reports.values()].map(({ report }) => report));

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
    const overflows = !(bound < FLOAT32_MAX);
    checked = !overflows && !(squared && bound / count > LARGEST_SQUARED);
    if (checked) return;
    const { worker, shard, maxAbs } = bounds.reduce((a, b) => (a.maxAbs >= b.maxAbs ? a : b));
    throw new TuttiError(
      'NOT_FINITE',
      `${
        overflows
          ? `The gradient sum of step ${step} could exceed float32`
          : `Squares of the gradient of step ${step} could exceed float32, and ${name} would not move these weights any more`
      }: shard ${shard} on worker ${worker} has elements up to ${maxAbs}`,
      {
        remedy: overflows
          ? 'Lower the learning rate, or clip the gradient by value inside the program.'
          : "Scale the data (with `scale` of its reader, or map()), or clip the gradient: optimizer's clipNorm or clipValue.",
        details: { step, shard, worker },
      },
    );
  }

  /** The factor of clipping by global norm; squares are added block by block, in their order. */
  function normScale(): number {
    let squares = 0;
    for (const { chunk } of chunks) for (const square of sums.squares(chunk)) squares += square;
    return createOptimizer(plan.optimizer).normScale(squares, count);
  }

  return {
    step,
    report(worker, report) {
      if (!reports.has(report.shard)) reports.set(report.shard, { worker, report });
    },
    hasReport: (shard) => reports.has(shard),
    complete(chunk) {
      const entry = chunks[chunk];
      if (entry?.state === 'open') entry.state = 'complete';
    },
    isOpen: (chunk) => chunks[chunk]?.state === 'open',
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
        const { chunk } = entry;
        // What overflows on the way to a sum is not finite in it either.
        if (!admits(chunk) || !(whole || sums.isFinite(chunk))) continue;
        most--;
        entry.state = 'given';
        take({ chunk, count, scale: scale ?? 1 });
      }
    },
    applied(chunk) {
      const entry = chunks[chunk];
      if (entry !== undefined) entry.state = 'applied';
    },
    reopen() {
      for (const entry of chunks) entry.state = 'open';
      scale = undefined;
    },
    begun: () => chunks.some(({ state }) => state === 'given' || state === 'applied'),
    reported: () => reports.size === shards,
    done() {
      if (reports.size < shards || chunks.some(({ state }) => state !== 'applied')) return false;
      // Servers that go on by themselves have not waited for that.
      if (!checked) checkReports();
      return true;
    },
    missing() {
      const missing = new Set<number>();
      for (let shard = 0; shard < shards; shard++) if (!reports.has(shard)) missing.add(shard);
      for (const { chunk, state } of chunks)
        if (state === 'open') for (const shard of sums.missing(chunk)) missing.add(shard);
      return [...missing].sort((a, b) => a - b);
    },
    isMissing: (shard) =>
      !reports.has(shard) ||
      chunks.some(({ chunk, state }) => state === 'open' && sums.isMissing(chunk, shard)),
    totals,
  };
}
