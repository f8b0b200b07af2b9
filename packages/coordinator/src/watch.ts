import type { JobPlan, ShardReport } from '@tutti/protocol';
import type { Clock, Timer } from '@tutti/runtime';
import type { JobParts } from './job-state.js';
import type { Member } from './members.js';
import type { Membership } from './membership.js';
import type { Pace } from './pace.js';
import { createSilence } from './silence.js';
import { createStragglers } from './stragglers.js';

/**
 * Keeps an eye on the workers of a step or an evaluation: helps out who is late, does without who
 * hangs, and moves shards to where they are computed sooner.
 */
export interface Watch {
  /**
   * The training begins.
   * @param alsoOwing who owes something else of a step than gradients
   */
  start(alsoOwing: (step: number) => string[]): void;
  /** A step, or the evaluation before it, is under way from now on. */
  begin(): void;
  /** The step is complete, and the next is under way. */
  next(): void;
  /** A worker said or sent something. */
  heard(member: Member): void;
  reported(member: Member, step: number, reports: readonly ShardReport[]): void;
  evaluated(member: Member, reports: readonly ShardReport[]): void;
  /** Nobody can go on without this server. */
  serverAway(server: number): void;
  serverBack(server: number): void;
  stop(): void;
}

/** Looks are this far apart at first, and then further the longer it lasts. */
const LEAST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
/** Steps between two looks at how the shards are shared out, and fewer if somebody was late. */
const SETTLED = 10;
const SETTLED_WHEN_LATE = 3;

export function createWatch(
  init: Pick<JobParts, 'state' | 'deadlines' | 'monitor'> & {
    readonly clock: Clock;
    readonly membership: Membership;
    readonly pace: Pace;
  },
): Watch {
  const { state, clock, membership, pace, monitor } = init;
  const { progressMs } = init.deadlines;
  const silence = createSilence({ progressMs, pace });
  const stragglers = createStragglers();
  const away = new Set<number>();
  let since = 0;
  let steps = 0;
  let timer: Timer | undefined;
  let alsoOwing: (step: number) => string[] = () => [];

  const owners = () => [...membership].filter(({ shards }) => shards.length > 0);

  function arm() {
    timer?.cancel();
    const now = clock.now();
    const pauseMs = Math.max(LEAST_PAUSE_MS, Math.min((now - since) / 4, LONGEST_PAUSE_MS));
    const lateMs = stragglers.lateAt - now;
    timer = clock.after(lateMs > 0 ? Math.min(lateMs, pauseMs) : pauseMs, () => {
      if (state.ledger === undefined) return;
      try {
        look();
        arm();
        monitor.notify();
      } catch (error) {
        monitor.fail(error);
      }
    });
  }

  function look() {
    const book = state.ledger!;
    const missing = book.evaluated
      ? (book.step(book.version)?.missing() ?? [])
      : book.unevaluated();
    const owing = new Set<string>();
    const present = new Set([...membership].map(({ worker }) => worker));
    for (const helper of book.evaluated ? stragglers.helping(missing) : [])
      if (!present.has(helper)) stragglers.gone(helper);
      else owing.add(helper);
    for (const worker of alsoOwing(book.version)) if (present.has(worker)) owing.add(worker);
    for (const { worker, shards } of membership)
      if (shards.some((shard) => missing.includes(shard))) owing.add(worker);
    const now = clock.now();
    // While there are too few, nobody is given what the others owe, or what is to be done anew.
    if (away.size > 0 || !membership.enough) silence.excuseAll();
    const work = book.evaluated ? 'gradient' : 'evaluation';
    for (const { worker, silentMs } of silence.look(owing, work, now)) {
      owing.delete(worker);
      drop(worker, silentMs);
    }
    // A job that waits for workers does not go on with fewer.
    if (!book.evaluated || !membership.enough) return;
    const idle = [...membership].filter(({ ready, worker }) => ready && !owing.has(worker));
    // What was reported is on its way: computing it anew would take longer.
    const step = book.step(book.version);
    const helpers = stragglers.help(
      missing.filter((shard) => !step?.hasReport(shard)),
      idle.map(({ worker }) => worker),
      now,
    );
    for (const member of idle) {
      const shards = helpers.get(member.worker);
      if (shards !== undefined)
        membership.tell(member, { type: 'compute', step: book.version, shards });
    }
  }

  function drop(worker: string, silentMs: number) {
    const { version, evaluated } = state.ledger!;
    const what = evaluated ? `gradients of step ${version}` : `an evaluation of version ${version}`;
    const seconds = (silentMs / 1000).toFixed(1);
    membership.drop(worker, `it owes ${what} and was not heard for ${seconds} s`);
  }

  const watch: Watch = {
    start(others) {
      alsoOwing = others;
      watch.begin();
    },
    begin() {
      since = clock.now();
      const { version, evaluated } = state.ledger!;
      if (evaluated) stragglers.begin(version, owners().length, since);
      arm();
    },
    next() {
      stragglers.end(clock.now());
      steps++;
      const { step, version, evaluated } = state.ledger!;
      const settled = steps >= (stragglers.helped ? SETTLED_WHEN_LATE : SETTLED);
      if (settled && evaluated && step(version) !== undefined) {
        steps = 0;
        membership.rebalance();
      }
      watch.begin();
    },
    heard: ({ worker }) => silence.heard(worker),
    reported({ worker, shards }, at, reports) {
      for (const { count, computeMs } of reports)
        if (count > 0) pace.measured(worker, 'gradient', computeMs);
      const step = state.ledger?.step(at);
      const own = reports.some(({ shard }) => shards.includes(shard));
      if (step === undefined || !own || !shards.every(step.hasReport)) return;
      const now = clock.now();
      stragglers.arrived(at, worker, now);
      // Whoever has reported may help.
      if (now >= stragglers.lateAt) look();
      else if (Number.isFinite(stragglers.lateAt)) arm();
    },
    evaluated({ worker }, reports) {
      for (const report of reports)
        if (report.count > 0)
          pace.measured(worker, 'evaluation', report.computeMs / batchesOf(state.plan!, report));
    },
    serverAway: (server) => void away.add(server),
    serverBack: (server) => void away.delete(server),
    stop() {
      timer?.cancel();
      silence.excuseAll();
    },
  };
  return watch;
}

/** The calls that an evaluation of so many examples takes. */
function batchesOf({ evaluationBatchSize }: JobPlan, { count }: ShardReport): number {
  return Math.ceil(count / evaluationBatchSize);
}
