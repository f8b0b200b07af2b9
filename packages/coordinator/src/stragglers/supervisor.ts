import type { JobPlan, ShardReport } from '@tutti/protocol';
import type { Clock, Monitor, Timer } from '@tutti/runtime';
import type { Deadlines } from '../coordinator-settings.js';
import type { Ledger } from '../state/ledger.js';
import {
  LEAST_PAUSE_MS,
  LONGEST_PAUSE_MS,
  REST_MS,
  REST_WORKERS,
  SETTLED_STEPS,
  SETTLED_STEPS_WHEN_LATE,
} from '../tunables.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import type { WorkerTimings } from '../workers/timings.js';
import { createFirstTimes, firstTimesNote } from './first-times.js';
import { createHelping } from './helping.js';
import type { Owed, Stage } from './owed.js';
import { createSilence, type Hung } from './silence.js';

/**
 * Keeps an eye on the workers of a step or an evaluation: helps out who is late, does without who
 * hangs, and moves shards to where they are computed sooner.
 */
export interface Supervisor {
  /**
   * The training begins.
   * @param alsoOwing who owes something else of a step than gradients
   */
  start(ledger: Ledger, alsoOwing: (step: number) => readonly Owed[]): void;
  /**
   * A step, or the evaluation before it, is under way from now on.
   * @param anew whether all that was received of it is void
   */
  begin(anew?: boolean): void;
  /** The step is complete, and the next is under way. */
  next(): void;
  /** A worker said or sent something. */
  heard(member: Member): void;
  /** A worker says that it can do nothing before it has the weights of a version. */
  waits(member: Member, version: number): void;
  reported(member: Member, step: number, reports: readonly ShardReport[]): void;
  evaluated(member: Member, version: number, reports: readonly ShardReport[]): void;
  /** Nobody can go on without this server. */
  serverAway(server: number): void;
  serverBack(server: number): void;
  /**
   * What a wait for workers says of those that meet a size for the first time; empty if nobody does.
   * @param member of this one alone
   */
  firstTimes(member?: Member): string;
  stop(): void;
}

/** What is trained now, and who owes something else of a step than gradients. */
interface Run {
  readonly ledger: Ledger;
  readonly alsoOwing: (step: number) => readonly Owed[];
}

export function createSupervisor(init: {
  readonly plan: JobPlan;
  readonly deadlines: Deadlines;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly membership: Membership;
  readonly timings: WorkerTimings;
  /** Has servers that make the sums say what they lack. */
  readonly askServers: () => void;
  /** The connections of workers in whose processes servers are that have not answered. */
  readonly unansweredHosts: () => readonly string[];
}): Supervisor {
  const { plan, clock, membership, timings, monitor } = init;
  const { progressMs } = init.deadlines;
  const silence = createSilence({ progressMs, timings });
  const helping = createHelping({ plan, clock, membership, timings });
  const away = new Set<number>();
  let since = 0;
  let steps = 0;
  let timer: Timer | undefined;
  let lookAt = Number.POSITIVE_INFINITY;
  /** Nobody is looked at before. */
  let restUntil = Number.NEGATIVE_INFINITY;
  let deferred: Timer | undefined;
  const first = createFirstTimes(plan);
  let run: Run | undefined;

  function later(at: number, act: (training: Run) => void): Timer {
    return clock.after(Math.max(0, at - clock.now()), () => {
      if (run === undefined) return;
      try {
        act(run);
        monitor.notify();
      } catch (error) {
        monitor.fail(error);
      }
    });
  }

  /** However often something is heard, a look is due: whoever hangs may be covered by others. */
  function arm(looked = false) {
    timer?.cancel();
    deferred?.cancel();
    deferred = undefined;
    const now = clock.now();
    restUntil = now + restMs(membership.ready().length);
    const pauseMs = Math.max(LEAST_PAUSE_MS, Math.min((now - since) / 4, LONGEST_PAUSE_MS));
    const next = now + pauseMs;
    lookAt = looked ? next : Math.min(lookAt, next);
    const at = Math.max(restUntil, Math.min(lookAt, helping.lateAt()));
    timer = later(at, (training) => {
      look(training);
      arm(true);
    });
  }

  /** Helps whoever is late, and finds out who will be when; among many not at every report of anybody. */
  function attend(training: Run) {
    if (clock.now() < restUntil) {
      deferred ??= later(restUntil, (training) => {
        deferred = undefined;
        attend(training);
      });
      return;
    }
    help(training);
    arm();
  }

  /** Who has something to do of the version under way, as far as it has reported itself. */
  function owing({ ledger, alsoOwing }: Run): readonly Owed[] {
    return [...helping.owing(ledger), ...alsoOwing(ledger.version())];
  }

  function owedBy({ ledger, alsoOwing }: Run, member: Member): readonly Owed[] {
    const also = alsoOwing(ledger.version()).filter((each) => each.member === member);
    return [...helping.owedBy(ledger, member), ...also];
  }

  function look(training: Run) {
    const { ledger } = training;
    // One thread has both: if it computes, the server answers late, and if it hangs, never.
    const unanswered = new Set(init.unansweredHosts());
    const hosts =
      unanswered.size === 0 ? [] : [...membership].filter(({ peer }) => unanswered.has(peer));
    const present = new Set([...membership].map(({ worker }) => worker));
    // While there are too few, nobody is given what the others owe, or what is to be done anew.
    if (away.size > 0 || !membership.enough()) excuse();
    const work = ledger.evaluated() ? 'gradient' : 'evaluation';
    const owe = owing(training).map((owed) => ({
      worker: owed.member.worker,
      first: first.ahead(owed),
    }));
    const all = [...owe, ...hosts.map(({ worker }) => ({ worker, first: [] }))];
    for (const hung of silence.look(present, all, work, clock.now())) {
      const owes = owe.some(({ worker }) => worker === hung.worker);
      drop(ledger, hung, owes || hosts.every(({ worker }) => worker !== hung.worker));
    }
    help(training);
    // What they answer counts at the next look.
    init.askServers();
  }

  function help({ ledger, alsoOwing }: Run) {
    // A job that waits for workers does not go on with fewer.
    if (away.size > 0 || !membership.enough()) return;
    const busy = alsoOwing(ledger.version()).map(({ member }) => member.worker);
    helping.help(ledger, new Set(busy));
  }

  function excuse() {
    silence.excuseAll();
    helping.excuse();
  }

  /** Whoever has done something may help, and be late with the next. */
  function done(member: Member, stage: Stage, reports: readonly ShardReport[]) {
    helping.reported(member, stage, reports);
    if (run !== undefined) attend(run);
  }

  /** @param itself whether it has not done its own part; else the server in its process has not */
  function drop(ledger: Ledger, { worker, silentMs, first: sizes }: Hung, itself: boolean) {
    const version = ledger.version();
    const gradients = itself
      ? `gradients of step ${version}`
      : `what its server has of step ${version}`;
    const what = ledger.evaluated() ? gradients : `an evaluation of version ${version}`;
    const seconds = (silentMs / 1000).toFixed(1);
    const note = firstTimesNote(sizes);
    membership.drop(worker, `it owes ${what}${note} and was not heard for ${seconds} s`);
  }

  const supervisor: Supervisor = {
    start(ledger, alsoOwing) {
      run = { ledger, alsoOwing };
      supervisor.begin(true);
    },
    begin(anew = false) {
      if (run === undefined) return;
      since = clock.now();
      helping.begin(run.ledger, anew);
      help(run);
      arm();
    },
    next() {
      if (run === undefined) return;
      const { ledger } = run;
      steps++;
      const settled = steps >= (helping.helped() ? SETTLED_STEPS_WHEN_LATE : SETTLED_STEPS);
      if (settled && ledger.evaluated() && ledger.step(ledger.version()) !== undefined) {
        steps = 0;
        membership.rebalance();
      }
      supervisor.begin();
    },
    heard: ({ worker }) => silence.heard(worker),
    waits(member, version) {
      // Whoever waits for a later one believes that it has done everything: if not, that is as lost
      // as if it hung.
      const owes =
        run !== undefined && version > run.ledger.version() && owedBy(run, member).length > 0;
      if (!owes) silence.heard(member.worker);
    },
    reported(member, at, reports) {
      for (const { count, computeMs } of reports)
        if (count > 0) timings.measured(member.worker, 'gradient', computeMs);
      timings.reported(member.worker, reports);
      for (const { shard } of reports) first.done(member, 'gradient', at, shard);
      done(member, { work: 'gradient', at }, reports);
    },
    evaluated(member, at, reports) {
      for (const report of reports) {
        if (report.count === 0) continue;
        const unitMs = report.computeMs / batchesOf(plan, report);
        timings.measured(member.worker, 'evaluation', unitMs);
        first.done(member, 'evaluation', at, report.shard);
      }
      done(member, { work: 'evaluation', at }, reports);
    },
    serverAway: (server) => void away.add(server),
    serverBack(server) {
      if (away.delete(server)) excuse();
    },
    firstTimes(member) {
      if (run === undefined) return '';
      const owed = member === undefined ? owing(run) : owedBy(run, member);
      return firstTimesNote(owed.flatMap(first.ahead));
    },
    stop() {
      run = undefined;
      timer?.cancel();
      deferred?.cancel();
      deferred = undefined;
      lookAt = Number.POSITIVE_INFINITY;
      silence.excuseAll();
    },
  };
  return supervisor;
}

/** For how long nobody is looked at after a look at all of so many workers. */
function restMs(workers: number): number {
  return Math.min(LONGEST_PAUSE_MS, REST_MS * Math.max(0, workers - REST_WORKERS));
}

/** The calls that an evaluation of so many examples takes. */
function batchesOf({ evaluationBatchSize }: JobPlan, { count }: ShardReport): number {
  return Math.ceil(count / evaluationBatchSize);
}
