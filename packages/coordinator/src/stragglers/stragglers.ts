import type { Work } from '../workers/timings.js';
import { createUsual } from '../workers/usual-times.js';
import { createHand, type Hand, REPORT_MS, type Role } from './workload.js';

/**
 * Who is late in the evaluation or the step under way, and who helps out. A micro-batch is late by a
 * robust multiple of what one usually takes: then all that its worker has not delivered is given to
 * idle workers too, one at a time, beginning with what it has not begun. A worker that was late and
 * has not been heard since, or whose last micro-batch took long, is helped from the start, by whoever
 * would be done sooner. The first copy counts.
 */
export interface Stragglers {
  /**
   * The evaluation of a version, or the step from it, is under way from now on.
   * @param anew whether all that was received of it, and of later ones, is void
   */
  begin(phase: Phase, now: number, anew?: boolean): void;
  /** Who is here, and what each has to compute by itself. */
  muster(crew: readonly Crew[], now: number): void;
  /**
   * A worker has reported some micro-batches; none, if it left them to others.
   * @param counts examples of each
   */
  reported(who: string, phase: Phase, counts: ReadonlyMap<number, number>, now: number): void;
  /** Nobody could do anything until now. */
  excuse(now: number): void;
  /** When somebody will be late who is not yet. */
  lateAt(now: number): number;
  /** Whether somebody could do with help. */
  due(now: number): boolean;
  /** Whether a worker has reported all that it was given to compute. */
  idle(who: string): boolean;
  /** Whether it may still compute what it owed of an earlier step. */
  isBehind(who: string): boolean;
  /** Whether a worker's last micro-batch took long. */
  isSlow(who: string): boolean;
  /**
   * Gives what is late, or will be, to idle workers.
   * @param missing shards without a gradient, or not evaluated
   */
  help(missing: readonly number[], idle: readonly string[], now: number): Helpers;
  /** Gives a worker a micro-batch of another to see how long it takes. */
  trial(who: string, shard: number, now: number): void;
  /** The workers that have not reported all that they were given, or not delivered it. */
  owing(missing: readonly number[]): string[];
  /** Whether anybody had to help in this step. */
  helped(): boolean;
}

export interface Phase {
  readonly work: Work;
  /** The version or step. */
  readonly at: number;
}

export interface Crew {
  /** Its session: one that comes back has forgotten everything. */
  readonly who: string;
  readonly shards: readonly number[];
  /** The shards of the step that follow the evaluation. */
  readonly next: readonly number[];
}

/** The shards that each is given on top of its own. */
export type Helpers = ReadonlyMap<string, readonly number[]>;

/** Whoever is not late yet is helped if that makes the step this much shorter. */
const WORTHWHILE = 1.3;

export function createStragglers(): Stragglers {
  const hands = new Map<string, Hand>();
  const usual = { gradient: createUsual(), evaluation: createUsual() };
  /** Whoever is quick may report the next step before this one is known to be complete. */
  const ahead = new Map<string, Map<string, Set<number>>>();
  /** What each computes after the evaluation, before it helps with that of others. */
  const next = new Map<string, readonly number[]>();
  let under: Phase = { work: 'gradient', at: -1 };
  let helped = false;

  const keyOf = ({ work, at }: Phase) => `${at} ${work}`;
  const reportedAhead = (who: string, phase: Phase) => ahead.get(keyOf(phase))?.get(who);
  const roleOf = (): Role => ({ usual: usual[under.work], work: under.work });
  const enough = () => usual[under.work].samples() >= Math.min(3, Math.ceil(owners() / 2));
  const owners = () => [...hands.values()].filter((hand) => hand.own().length > 0).length;
  const busy = () => [...hands.values()].filter((hand) => hand.pending().length > 0);

  function isIdle(who: string): boolean {
    const done = reportedAhead(who, { work: 'gradient', at: under.at });
    const free = hands.get(who)?.pending().length === 0;
    return free && (next.get(who) ?? []).every((shard) => done?.has(shard));
  }

  function isAhead({ work, at }: Phase) {
    return at > under.at || (at === under.at && work !== under.work && work === 'gradient');
  }

  function help(missing: readonly number[], idle: readonly string[], now: number): Helpers {
    const given = new Map<string, number[]>();
    if (!enough()) return given;
    const role = roleOf();
    const all = [...hands.values()];
    const wanted = missing
      // What was reported as a whole is on its way: computing it anew would take longer.
      .filter((shard) => !all.some((hand) => hand.sent().has(shard)))
      .map((shard) => {
        const carriers = all.filter((hand) => hand.carries(shard));
        const inMs = Math.min(...carriers.map((hand) => hand.doneInMs(role, now)));
        const rank = Math.min(...carriers.map((hand) => hand.pending().indexOf(shard)));
        return { shard, inMs, rank };
      })
      // What has not been begun comes first, and what was reported already last.
      .sort((a, b) => compare(b.inMs, a.inMs) || b.rank - a.rank || a.shard - b.shard);
    const helpers = idle
      .flatMap((who) => hands.get(who) ?? [])
      .map((hand) => ({ hand, unitMs: hand.unitMs(role), load: 0 }))
      .sort((a, b) => Number(a.hand.leftover()) - Number(b.hand.leftover()) || a.unitMs - b.unitMs);
    for (const { shard, inMs } of wanted) {
      const free = helpers.filter(({ hand, unitMs, load }) => {
        const room = Math.max(1, Math.floor(REPORT_MS / unitMs));
        return load < room && !hand.carries(shard);
      });
      const [first] = free;
      if (first === undefined) continue;
      const end = ({ unitMs, load }: (typeof free)[number]) => unitMs * (load + 1);
      const best = free.reduce((a, b) => (end(b) < end(a) ? b : a));
      if (inMs <= WORTHWHILE * end(best)) continue;
      best.load++;
      best.hand.take(shard, now);
      given.set(best.hand.who, [...(given.get(best.hand.who) ?? []), shard]);
    }
    if (given.size > 0) helped = true;
    return given;
  }

  return {
    begin(phase, now, anew = false) {
      if (anew) ahead.clear();
      const before = roleOf();
      under = phase;
      helped = false;
      for (const hand of hands.values()) {
        hand.begin(reportedAhead(hand.who, phase) ?? new Set(), before, now);
        if (anew) hand.restart(now);
      }
      for (const key of ahead.keys())
        if (Number.parseInt(key, 10) < phase.at || key === keyOf(phase)) ahead.delete(key);
    },
    muster(crew, now) {
      const here = new Set(crew.map(({ who }) => who));
      for (const who of hands.keys()) if (!here.has(who)) hands.delete(who);
      next.clear();
      for (const { who, shards, next: followed } of crew) {
        const hand = hands.get(who) ?? createHand(who, now);
        hands.set(who, hand);
        hand.assign(shards, now);
        next.set(who, followed);
      }
    },
    reported(who, phase, counts, now) {
      const hand = hands.get(who);
      if (isAhead(phase)) {
        const key = keyOf(phase);
        const known = ahead.get(key) ?? new Map<string, Set<number>>();
        ahead.set(key, known);
        const done = known.get(who) ?? new Set();
        known.set(who, done);
        for (const shard of counts.keys()) done.add(shard);
        hand?.restart(now);
        return;
      }
      // A sign of life from the middle of an evaluation.
      if (counts.size === 0 && phase.work === 'evaluation') return;
      hand?.reported(
        counts,
        keyOf(phase) === keyOf(under),
        {
          usual: usual[phase.work],
          work: phase.work,
        },
        now,
      );
    },
    excuse(now) {
      for (const hand of hands.values()) hand.restart(now);
    },
    lateAt(now) {
      if (!enough()) return Number.POSITIVE_INFINITY;
      const times = busy().map((hand) => hand.lateAt(roleOf()));
      return Math.min(Number.POSITIVE_INFINITY, ...times.filter((at) => at > now));
    },
    due(now) {
      return enough() && busy().some((hand) => hand.doneInMs(roleOf(), now) > 0);
    },
    idle: isIdle,
    isBehind: (who) => hands.get(who)?.leftover() ?? false,
    isSlow: (who) => hands.get(who)?.isSlow(roleOf()) ?? false,
    help,
    trial: (who, shard, now) => hands.get(who)?.take(shard, now),
    owing: (missing) =>
      [...hands.values()]
        .filter((hand) => !isIdle(hand.who) || missing.some(hand.carries))
        .map(({ who }) => who),
    helped: () => helped,
  };
}

/** Infinities are equal. */
const compare = (a: number, b: number) => (a === b ? 0 : a - b);
