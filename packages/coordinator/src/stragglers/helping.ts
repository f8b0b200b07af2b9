import type { JobPlan, ShardReport } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import type { Ledger } from '../state/ledger.js';
import { TRIAL_STEPS } from '../tunables.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import type { WorkerTimings } from '../workers/timings.js';
import type { Owed, Stage } from './owed.js';
import { createStragglers } from './stragglers.js';

/** Has idle workers also do what others are late with. */
export interface Helping {
  /**
   * A step, or the evaluation before it, is under way from now on.
   * @param anew whether all that was received of it is void
   */
  begin(ledger: Ledger, anew: boolean): void;
  /** A worker has reported. */
  reported(member: Member, stage: Stage, reports: readonly ShardReport[]): void;
  /**
   * Gives idle workers what is late.
   * @param alsoOwing workers that have something else to do
   */
  help(ledger: Ledger, alsoOwing: ReadonlySet<string>): void;
  /** Nobody could do anything until now. */
  excuse(): void;
  /** When somebody will be late who is not yet. */
  lateAt(): number;
  /** The workers that have something to do, whoever else may have done it meanwhile. */
  owing(ledger: Ledger): readonly Owed[];
  /** What one of them has to do; nothing of a worker that is none of them. */
  owedBy(ledger: Ledger, member: Member): readonly Owed[];
  /** Whether anybody had to help in this step. */
  helped(): boolean;
}

export function createHelping(init: {
  readonly plan: JobPlan;
  readonly clock: Clock;
  readonly membership: Membership;
  readonly timings: WorkerTimings;
}): Helping {
  const { plan, clock, membership, timings } = init;
  /** By session, the steps since it was tried. */
  const untried = new Map<string, number>();

  let current: Stage = { work: 'gradient', at: -1 };
  let ledger: Ledger | undefined;

  // Where nobody waits for a report, it waits for other messages.
  const isUnhurried = ({ at }: Stage) => at + 1 < (ledger?.allowed() ?? 0);
  const stragglers = createStragglers(timings.usual, isUnhurried);

  function missing(ledger: Ledger): readonly number[] {
    if (current.work === 'evaluation') return ledger.unevaluated();
    return ledger.step(current.at)?.missing() ?? [];
  }

  /** There is no step from the last version. */
  const isOver = () => current.work === 'gradient' && current.at >= plan.steps;

  function isMissing(ledger: Ledger, shard: number): boolean {
    if (current.work === 'evaluation') return ledger.isUnevaluated(shard);
    return ledger.step(current.at)?.isMissing(shard) ?? false;
  }

  /** As of the last muster. At every report of anybody there is one: those that change nothing are cheap. */
  let mustered: { readonly ready: readonly Member[]; followed: boolean; over: boolean } | undefined;

  function muster() {
    const ready = membership.ready();
    const followed = current.work === 'evaluation' && current.at < plan.steps;
    const over = isOver();
    if (mustered?.ready === ready && mustered.followed === followed && mustered.over === over)
      return;
    mustered = { ready, followed, over };
    const crew = ready.map(({ session, shards }) => ({
      who: session,
      shards: over ? NONE : shards,
      next: followed ? shards : NONE,
    }));
    stragglers.muster(crew, clock.now());
  }

  const pendingOf = (member: Member): readonly Owed[] =>
    stragglers.pending(member.session).map((pending) => ({ member, ...pending }));

  function tell(member: Member, { work, at }: Stage, shards: readonly number[]) {
    membership.tell(
      member,
      work === 'gradient'
        ? { type: 'compute', step: at, shards }
        : { type: 'evaluate', version: at, shards },
    );
  }

  /**
   * A slow worker has no shards, and so nothing that shows that it has become quicker: now and then,
   * and while it seems to be quick again in every step, it is given a copy of what the busiest does.
   */
  function tryAgain() {
    const ready = membership.ready();
    const busiest = ready.reduce<Member | undefined>(
      (most, each) => (each.shards.length > (most?.shards.length ?? 0) ? each : most),
      undefined,
    );
    if (current.work !== 'gradient' || isOver() || busiest === undefined) return;
    for (const member of ready) {
      const { session, worker, shards } = member;
      const steps = (untried.get(session) ?? 0) + 1;
      untried.delete(session);
      if (shards.length > 0 || !timings.isSlow(worker)) continue;
      untried.set(session, steps);
      if (steps < TRIAL_STEPS && stragglers.isSlow(session)) continue;
      if (stragglers.isBehind(session)) continue;
      untried.set(session, 0);
      const shard = busiest.shards.at(-1)!;
      stragglers.trial(session, shard, clock.now());
      tell(member, current, [shard]);
    }
  }

  return {
    begin(training, anew) {
      ledger = training;
      const work = ledger.evaluated() ? 'gradient' : 'evaluation';
      const next: Stage = { work, at: ledger.version() };
      // An evaluation can be complete before the version is: then the step has begun with that.
      if (!anew && next.work === current.work && next.at === current.at) return;
      current = next;
      stragglers.begin(current, clock.now(), anew);
      muster();
      // The versions that it has missed need nothing of it.
      for (const member of membership.ready())
        if (stragglers.isBehind(member.session)) membership.catchUp(member);
      if (membership.enough()) tryAgain();
    },
    reported({ session }, stage, reports) {
      // It may have come only now.
      muster();
      const counts = new Map(reports.map(({ shard, count }) => [shard, count]));
      const computeMs = reports.reduce((sum, report) => sum + report.computeMs, 0);
      const timely = !isUnhurried(stage);
      stragglers.reported(session, stage, counts, clock.now(), computeMs, timely);
    },
    help(ledger, alsoOwing) {
      const now = clock.now();
      muster();
      if (!stragglers.due(now)) return;
      const idle = membership
        .ready()
        .filter(({ session, worker }) => stragglers.idle(session) && !alsoOwing.has(worker));
      if (idle.length === 0) return;
      const who = idle.map(({ session }) => session);
      const helpers = stragglers.help(missing(ledger), who, now);
      for (const member of idle) {
        const shards = helpers.get(member.session);
        if (shards !== undefined) tell(member, current, shards);
      }
    },
    excuse: () => stragglers.excuse(clock.now()),
    lateAt: () => stragglers.lateAt(clock.now()),
    owing(ledger) {
      muster();
      const sessions = new Set(stragglers.owing(missing(ledger)));
      return membership
        .ready()
        .filter(({ session }) => sessions.has(session))
        .flatMap(pendingOf);
    },
    owedBy(ledger, member) {
      muster();
      const owes = stragglers.owes(member.session, (shard) => isMissing(ledger, shard));
      return owes ? pendingOf(member) : [];
    },
    helped: stragglers.helped,
  };
}

const NONE: readonly number[] = [];
