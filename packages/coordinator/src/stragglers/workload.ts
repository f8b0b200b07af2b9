import type { Work } from '../workers/timings.js';
import type { Usual } from '../workers/usual-times.js';

/** A worker reports what is done at least this often, between two micro-batches. */
export const REPORT_MS = 20;
/** Nobody is late before: a message can take as long. */
const LEAST_LATE_MS = 20;

/** What is computed, and how long it usually takes. */
export interface Role {
  readonly work: Work;
  readonly usual: Usual;
}

/** What one worker has to compute in the phase under way, and since when it is at it. */
export interface Hand {
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
  begin(done: ReadonlySet<number>, before: Role, now: number): void;
  take(shard: number, now: number): void;
  reported(counts: ReadonlyMap<number, number>, current: boolean, role: Role, now: number): void;
  /** What it is at now it has begun now. */
  restart(now: number): void;
  /** What it takes for one micro-batch, by its last one; no less than what is usual. */
  unitMs(role: Role): number;
  /** Its last one took long. */
  isSlow(role: Role): boolean;
  lateAt(role: Role): number;
  /** When it will have sent all it has: 0 if nothing is wrong, infinite if it is late. */
  doneInMs(role: Role, now: number): number;
}

/** @param since when it began */
export function createHand(who: string, since: number): Hand {
  const last = new Map<Work, number>();
  let own: readonly number[] = [];
  let extra: number[] = [];
  let done = new Set<number>();
  let sent = new Set<number>();
  let leftover = false;
  /** How long what it may still owe takes, from `since`. */
  let owedMs = 0;
  const all = () => (extra.length === 0 ? own : [...new Set([...own, ...extra])]);

  function settle() {
    // It sends what it has computed when it has computed all that it was given.
    if (hand.pending().length === 0) sent = new Set(done);
  }

  const hand: Hand = {
    who,
    own: () => own,
    extra: () => extra,
    pending: () => all().filter((shard) => !done.has(shard)),
    sent: () => sent,
    leftover: () => leftover,
    carries: (shard) => own.includes(shard) || extra.includes(shard),
    assign(mine, now) {
      const wasBusy = leftover || hand.pending().length > 0;
      own = mine;
      if (!wasBusy && hand.pending().length > 0) since = now;
      settle();
    },
    begin(early, before, now) {
      // Nobody has heard since of what it owes: it is still at it.
      if (!leftover) owedMs = hand.unitMs(before);
      leftover = hand.pending().length > 0;
      if (!leftover) since = now;
      done = new Set(early);
      [extra, sent] = [[], new Set()];
      settle();
    },
    take(shard, now) {
      if (hand.pending().length === 0) hand.restart(now);
      extra.push(shard);
    },
    reported(counts, current, role, now) {
      const computed = [...counts.values()].filter((count) => count > 0).length;
      // How long the earlier ones took cannot be told, if it began them nobody knows when.
      if (computed > 0 && (current || leftover)) {
        const unitMs = (now - since) / computed;
        role.usual.add(unitMs, last.get(role.work) ?? role.usual.unitMs());
        last.set(role.work, unitMs);
      }
      hand.restart(now);
      if (!current) return;
      for (const shard of counts.keys()) done.add(shard);
      settle();
    },
    restart(now) {
      since = now;
      leftover = false;
    },
    unitMs: ({ work, usual }) => Math.max(last.get(work) ?? 0, usual.unitMs()),
    isSlow: (role) => (last.get(role.work) ?? 0) > role.usual.tolerance() * role.usual.unitMs(),
    lateAt(role) {
      const unitMs = hand.unitMs(role);
      // Short ones are reported together.
      const next = Math.min(unitMs * hand.pending().length, Math.max(unitMs, REPORT_MS));
      return since + Math.max(next * role.usual.tolerance(), LEAST_LATE_MS);
    },
    doneInMs(role, now) {
      if (hand.pending().length === 0) return 0;
      if (now >= hand.lateAt(role)) return Number.POSITIVE_INFINITY;
      if (!hand.isSlow(role) && !leftover) return 0;
      const end = since + (leftover ? owedMs : 0) + hand.unitMs(role) * hand.pending().length;
      return Math.max(0, end - now);
    },
  };
  return hand;
}
