import { REPORT_MS } from '@tutti/protocol';
import { LEAST_LATE_MS } from '../tunables.js';
import type { WorkKind } from '../workers/timings.js';
import type { UsualTime } from '../workers/usual-time.js';

/** What is computed, and how long it usually takes. */
export interface Expectation {
  readonly work: WorkKind;
  readonly usual: UsualTime;
  /** Whether reports may wait for other messages, and so until after the next micro-batch. */
  readonly unhurried: boolean;
}

/** What one worker has to compute in the stage under way, and since when it is at it. */
export interface Workload {
  readonly who: string;
  own(): readonly number[];
  /** Shards of others that it was given too. */
  extra(): readonly number[];
  /** What it has not reported, in the order in which it computes it. */
  pending(): readonly number[];
  /** What it has reported and sent. */
  sent(): ReadonlySet<number>;
  /** It may still compute what it owed of an earlier step. */
  leftover(): boolean;
  carries(shard: number): boolean;
  assign(own: readonly number[], now: number): void;
  /** @param before what has been computed until now */
  begin(done: ReadonlySet<number>, before: Expectation, now: number): void;
  take(shard: number, now: number): void;
  /** @param timely whether it came as soon as it could: else how long it took cannot be told by it */
  reported(
    counts: ReadonlyMap<number, number>,
    current: boolean,
    expectation: Expectation,
    now: number,
    timely: boolean,
  ): void;
  /**
   * It has reported what nobody knew that it had begun: it took at least as long as it computed.
   * @param computeMs all of it together
   */
  reportedAhead(
    counts: ReadonlyMap<number, number>,
    computeMs: number,
    expectation: Expectation,
  ): void;
  /** What it is at now it has begun now. */
  restart(now: number): void;
  /** What it takes for one micro-batch, by its last one; no less than what is usual. */
  unitMs(expectation: Expectation): number;
  /** Its last one took long. */
  isSlow(expectation: Expectation): boolean;
  lateAt(expectation: Expectation): number;
  /** When it will have sent all it has: 0 if nothing is wrong, infinite if it is late. */
  doneInMs(expectation: Expectation, now: number): number;
}

/** @param since when it began */
export function createWorkload(who: string, since: number): Workload {
  const last = new Map<WorkKind, number>();
  let own: readonly number[] = [];
  let extra: number[] = [];
  let done = new Set<number>();
  let sent = new Set<number>();
  let leftover = false;
  /** How long what it may still owe takes, from `since`. */
  let owedMs = 0;
  /** Asked for at every report of anybody: known until something changes. */
  let pending: readonly number[] | undefined;

  function findPending(): readonly number[] {
    const all = extra.length === 0 ? own : [...new Set([...own, ...extra])];
    return all.filter((shard) => !done.has(shard));
  }

  function settle() {
    pending = undefined;
    // It sends what it has computed when it has computed all that it was given.
    if (workload.pending().length === 0) sent = new Set(done);
  }

  const computedOf = (counts: ReadonlyMap<number, number>) =>
    [...counts.values()].filter((count) => count > 0).length;

  function took(unitMs: number, { usual, work }: Expectation) {
    usual.add(unitMs, last.get(work) ?? usual.unitMs());
    last.set(work, unitMs);
  }

  const workload: Workload = {
    who,
    own: () => own,
    extra: () => extra,
    pending() {
      pending ??= findPending();
      return pending;
    },
    sent: () => sent,
    leftover: () => leftover,
    carries: (shard) => own.includes(shard) || extra.includes(shard),
    assign(mine, now) {
      if (mine === own) return;
      const wasBusy = leftover || workload.pending().length > 0;
      own = mine;
      pending = undefined;
      if (!wasBusy && workload.pending().length > 0) since = now;
      settle();
    },
    begin(early, before, now) {
      // Nobody has heard since of what it owes: it is still at it.
      if (!leftover) owedMs = workload.unitMs(before);
      leftover = workload.pending().length > 0;
      if (!leftover) since = now;
      done = new Set(early);
      [extra, sent] = [[], new Set()];
      settle();
    },
    take(shard, now) {
      if (workload.pending().length === 0) workload.restart(now);
      extra.push(shard);
      pending = undefined;
    },
    reported(counts, current, expectation, now, timely) {
      const computed = computedOf(counts);
      // How long the earlier ones took cannot be told, if it began them nobody knows when.
      if (!timely) last.delete(expectation.work);
      else if (computed > 0 && (current || leftover)) took((now - since) / computed, expectation);
      workload.restart(now);
      if (!current) return;
      for (const shard of counts.keys()) done.add(shard);
      settle();
    },
    reportedAhead(counts, computeMs, expectation) {
      const computed = computedOf(counts);
      if (computed > 0) took(computeMs / computed, expectation);
    },
    restart(now) {
      since = now;
      leftover = false;
    },
    unitMs: ({ work, usual }) => Math.max(last.get(work) ?? 0, usual.unitMs()),
    isSlow: (expectation) =>
      (last.get(expectation.work) ?? 0) >
      expectation.usual.tolerance() * expectation.usual.unitMs(),
    lateAt(expectation) {
      const unitMs = workload.unitMs(expectation);
      // Short ones are reported together.
      const next = Math.min(unitMs * workload.pending().length, Math.max(unitMs, REPORT_MS));
      const behindMs = expectation.unhurried ? unitMs : 0;
      return since + behindMs + Math.max(next * expectation.usual.tolerance(), LEAST_LATE_MS);
    },
    doneInMs(expectation, now) {
      if (workload.pending().length === 0) return 0;
      if (now >= workload.lateAt(expectation)) return Number.POSITIVE_INFINITY;
      if (!workload.isSlow(expectation) && !leftover) return 0;
      const end =
        since + (leftover ? owedMs : 0) + workload.unitMs(expectation) * workload.pending().length;
      return Math.max(0, end - now);
    },
  };
  return workload;
}
