import { REPORT_MS } from '@tutti/protocol';
import { WORTH_HELPING } from '../tunables.js';
import type { WorkerTimings } from '../workers/timings.js';
import type { Pending, Stage } from './owed.js';
import { createWorkload, type Expectation, type Workload } from './workload.js';

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
  begin(stage: Stage, now: number, anew?: boolean): void;
  /** Who is here, and what each has to compute by itself. */
  muster(crew: readonly CrewMember[], now: number): void;
  /**
   * A worker has reported some micro-batches; none, if it left them to others.
   * @param counts examples of each
   * @param computeMs how long it computed them, all together
   * @param timely as of a `Workload`
   */
  reported(
    who: string,
    stage: Stage,
    counts: ReadonlyMap<number, number>,
    now: number,
    computeMs: number,
    timely: boolean,
  ): void;
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
  /** Whether a worker is one of those. */
  owes(who: string, isMissing: (shard: number) => boolean): boolean;
  /** What a worker has not reported, of the stage under way, the step that follows it, and before. */
  pending(who: string): readonly Pending[];
  /** Whether anybody had to help in this step. */
  helped(): boolean;
}

export interface CrewMember {
  /** Its session: one that comes back has forgotten everything. */
  readonly who: string;
  readonly shards: readonly number[];
  /** The shards of the step that follow the evaluation. */
  readonly next: readonly number[];
}

/** The shards that each is given on top of its own. */
export type Helpers = ReadonlyMap<string, readonly number[]>;

/**
 * @param usual what a micro-batch usually takes
 * @param unhurried whether nobody waits for the reports of a stage
 */
export function createStragglers(
  usual: WorkerTimings['usual'],
  unhurried: (stage: Stage) => boolean = () => false,
): Stragglers {
  const workloads = new Map<string, Workload>();
  /** Whoever is quick may report the next step before this one is known to be complete. */
  const ahead = new Map<string, Map<string, Set<number>>>();
  /** What each computes after the evaluation, before it helps with that of others. */
  const next = new Map<string, readonly number[]>();
  /** What each may still compute of an earlier stage. */
  const left = new Map<string, Pending>();
  /** Whoever has something of the stage to compute. */
  const busy = new Set<Workload>();
  /** How many have something to compute by themselves. */
  let owners = 0;
  let current: Stage = { work: 'gradient', at: -1 };
  let helped = false;

  const keyOf = ({ work, at }: Stage) => `${at} ${work}`;
  const reportedAhead = (who: string, stage: Stage) => ahead.get(keyOf(stage))?.get(who);
  const expectationOf = (stage: Stage): Expectation => ({
    usual: usual[stage.work],
    work: stage.work,
    unhurried: unhurried(stage),
  });
  const expected = () => expectationOf(current);
  const enough = () => usual[current.work].samples() >= Math.min(3, Math.ceil(owners / 2));

  function isIdle(who: string): boolean {
    const done = reportedAhead(who, { work: 'gradient', at: current.at });
    const free = workloads.get(who)?.pending().length === 0;
    return free && (next.get(who) ?? []).every((shard) => done?.has(shard));
  }

  /** What it has to compute may have changed. */
  function note(workload: Workload) {
    if (workload.pending().length > 0) busy.add(workload);
    else busy.delete(workload);
  }

  function owes(workload: Workload, isMissing: (shard: number) => boolean): boolean {
    if (!isIdle(workload.who)) return true;
    return workload.own().some(isMissing) || workload.extra().some(isMissing);
  }

  function take(workload: Workload, shard: number, now: number) {
    workload.take(shard, now);
    note(workload);
  }

  function isAhead({ work, at }: Stage) {
    return at > current.at || (at === current.at && work !== current.work && work === 'gradient');
  }

  function help(missing: readonly number[], idle: readonly string[], now: number): Helpers {
    const given = new Map<string, number[]>();
    if (!enough()) return given;
    const expectation = expected();
    const carriers = new Map<number, { readonly workload: Workload; readonly inMs: number }[]>();
    const sent = new Set<number>();
    for (const workload of workloads.values()) {
      for (const shard of workload.sent()) sent.add(shard);
      const carrier = { workload, inMs: workload.doneInMs(expectation, now) };
      for (const shard of new Set([...workload.own(), ...workload.extra()])) {
        const known = carriers.get(shard);
        if (known === undefined) carriers.set(shard, [carrier]);
        else known.push(carrier);
      }
    }
    const wanted = missing
      // What was reported as a whole is on its way: computing it anew would take longer.
      .filter((shard) => !sent.has(shard))
      .map((shard) => {
        const by = carriers.get(shard) ?? [];
        const inMs = Math.min(...by.map((carrier) => carrier.inMs));
        const rank = Math.min(...by.map(({ workload }) => workload.pending().indexOf(shard)));
        return { shard, inMs, rank };
      })
      // Nothing is wrong with the others.
      .filter(({ inMs }) => inMs > 0)
      // What has not been begun comes first, and what was reported already last.
      .sort((a, b) => compare(b.inMs, a.inMs) || b.rank - a.rank || a.shard - b.shard);
    const helpers = idle
      .flatMap((who) => workloads.get(who) ?? [])
      .map((workload) => ({ workload, unitMs: workload.unitMs(expectation), load: 0 }))
      .sort(
        (a, b) =>
          Number(a.workload.leftover()) - Number(b.workload.leftover()) || a.unitMs - b.unitMs,
      );
    for (const { shard, inMs } of wanted) {
      const free = helpers.filter(({ workload, unitMs, load }) => {
        const room = Math.max(1, Math.floor(REPORT_MS / unitMs));
        return load < room && !workload.carries(shard);
      });
      const [first] = free;
      if (first === undefined) continue;
      const end = ({ unitMs, load }: (typeof free)[number]) => unitMs * (load + 1);
      const best = free.reduce((a, b) => (end(b) < end(a) ? b : a));
      if (inMs <= WORTH_HELPING * end(best)) continue;
      best.load++;
      take(best.workload, shard, now);
      given.set(best.workload.who, [...(given.get(best.workload.who) ?? []), shard]);
    }
    if (given.size > 0) helped = true;
    return given;
  }

  return {
    begin(stage, now, anew = false) {
      if (anew) ahead.clear();
      const before = expected();
      for (const workload of workloads.values()) {
        const shards = workload.pending();
        if (shards.length > 0 && !workload.leftover())
          left.set(workload.who, { stage: current, shards });
      }
      current = stage;
      helped = false;
      for (const workload of workloads.values()) {
        workload.begin(reportedAhead(workload.who, stage) ?? new Set(), before, now);
        if (anew) workload.restart(now);
        note(workload);
      }
      for (const key of ahead.keys())
        if (Number.parseInt(key, 10) < stage.at || key === keyOf(stage)) ahead.delete(key);
    },
    muster(crew, now) {
      const here = new Set(crew.map(({ who }) => who));
      for (const [who, workload] of workloads) {
        if (here.has(who)) continue;
        workloads.delete(who);
        busy.delete(workload);
      }
      for (const who of left.keys()) if (!here.has(who)) left.delete(who);
      next.clear();
      owners = crew.filter(({ shards }) => shards.length > 0).length;
      for (const { who, shards, next: followed } of crew) {
        const workload = workloads.get(who) ?? createWorkload(who, now);
        workloads.set(who, workload);
        workload.assign(shards, now);
        note(workload);
        next.set(who, followed);
      }
    },
    reported(who, stage, counts, now, computeMs, timely) {
      const workload = workloads.get(who);
      if (isAhead(stage)) {
        const key = keyOf(stage);
        const known = ahead.get(key) ?? new Map<string, Set<number>>();
        ahead.set(key, known);
        const done = known.get(who) ?? new Set();
        known.set(who, done);
        for (const shard of counts.keys()) done.add(shard);
        // Of steps there are enough that are seen from their beginning.
        if (stage.work === 'evaluation')
          workload?.reportedAhead(counts, computeMs, expectationOf(stage));
        workload?.restart(now);
        return;
      }
      // A sign of life from the middle of an evaluation.
      if (counts.size === 0 && stage.work === 'evaluation') return;
      if (workload === undefined) return;
      const isCurrent = keyOf(stage) === keyOf(current);
      workload.reported(counts, isCurrent, expectationOf(stage), now, timely);
      note(workload);
    },
    excuse(now) {
      for (const workload of workloads.values()) workload.restart(now);
    },
    lateAt(now) {
      if (!enough()) return Number.POSITIVE_INFINITY;
      const expectation = expected();
      let first = Number.POSITIVE_INFINITY;
      for (const workload of busy) {
        const at = workload.lateAt(expectation);
        if (at > now && at < first) first = at;
      }
      return first;
    },
    due(now) {
      if (!enough()) return false;
      const expectation = expected();
      for (const workload of busy) if (workload.doneInMs(expectation, now) > 0) return true;
      return false;
    },
    idle: isIdle,
    isBehind: (who) => workloads.get(who)?.leftover() ?? false,
    isSlow: (who) => workloads.get(who)?.isSlow(expected()) ?? false,
    help,
    trial(who, shard, now) {
      const workload = workloads.get(who);
      if (workload !== undefined) take(workload, shard, now);
    },
    owing(missing) {
      const lacking = new Set(missing);
      return [...workloads.values()]
        .filter((workload) => owes(workload, (shard) => lacking.has(shard)))
        .map(({ who }) => who);
    },
    owes(who, isMissing) {
      const workload = workloads.get(who);
      return workload !== undefined && owes(workload, isMissing);
    },
    pending(who) {
      const step: Stage = { work: 'gradient', at: current.at };
      const done = reportedAhead(who, step);
      const later = (next.get(who) ?? []).filter((shard) => !done?.has(shard));
      const earlier = workloads.get(who)?.leftover() ? left.get(who) : undefined;
      const now = { stage: current, shards: workloads.get(who)?.pending() ?? [] };
      const all = [...(earlier === undefined ? [] : [earlier]), now];
      return later.length === 0 ? all : [...all, { stage: step, shards: later }];
    },
    helped: () => helped,
  };
}

/** Infinities are equal. */
const compare = (a: number, b: number) => (a === b ? 0 : a - b);
