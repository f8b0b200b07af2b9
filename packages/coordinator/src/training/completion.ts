import { evaluatesAt, type JobPlan } from '@tutti/protocol';
import type { Totals } from '@tutti/run';
import type { Monitor, Timeline, Wait } from '@tutti/runtime';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import type { Ledger } from '../state/ledger.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import type { RunVerifier } from '../verify/run-verifier.js';
import type { Membership } from '../workers/membership.js';
import { type AwaitedShards, awaitAbsent, awaitEvaluation, awaitStep } from './waits.js';

/** Has a version evaluated, and its step applied, and waits until each is complete. */
export interface Completion {
  /** Whether the version under way is evaluated, or needs not be; else the run ends here. */
  evaluated(ledger: Ledger): Promise<boolean>;
  /** The totals of the step under way, once it is applied; undefined if the run ends before. */
  applied(ledger: Ledger): Promise<Totals | undefined>;
}

export function createCompletion(init: {
  readonly plan: JobPlan;
  readonly servers: Pick<Servers, 'names' | 'hosted' | 'absent' | 'nameOf' | 'faultOf'>;
  readonly membership: Pick<Membership, 'startHost' | 'ownersOf' | 'enough' | 'shortage'>;
  readonly supervisor: Pick<Supervisor, 'firstTimes'>;
  readonly verifier: RunVerifier;
  readonly monitor: Monitor;
  readonly timeline: Timeline;
  readonly deadlines: Pick<Deadlines, 'stepMs'>;
  /** Has the servers apply what is ready. */
  readonly pump: () => void;
  /** Whether a server has lost its weights. */
  readonly lost: () => boolean;
  /** Whether the run ends before the step under way. */
  readonly halted: () => boolean;
}): Completion {
  const { plan, servers, membership, supervisor, verifier, monitor, pump, lost, halted } = init;
  const { stepMs: deadlineMs } = init.deadlines;
  const { ownersOf } = membership;
  const { timeline } = init;

  /** What is waited for where servers are gone: whoever owes something else cannot do it without them. */
  function absence(): Wait | undefined {
    const absent = servers.absent();
    if (absent.length === 0) return undefined;
    const startHost = servers.hosted ? membership.startHost() : undefined;
    const names = absent.map(servers.nameOf).join(', ');
    const fault = servers.faultOf(absent);
    return awaitAbsent({ names, startHost, fault }, deadlineMs);
  }

  /** Waits for a condition, and whenever there are too few workers, for them. */
  async function untilWhole(condition: () => boolean, awaited: () => Wait) {
    const wait = () => absence() ?? awaited();
    const met = () => condition() || lost() || halted();
    while (!met()) {
      await monitor.until(() => met() || !membership.enough(), wait);
      if (met()) return;
      await monitor.until(
        () => met() || membership.enough(),
        () => membership.shortage(),
      );
    }
  }

  const awaited = (missing: readonly number[], check: AwaitedShards['check']): AwaitedShards => ({
    ...{ missing, ownersOf, check, deadlineMs },
    note: supervisor.firstTimes(),
  });

  return {
    async evaluated(ledger) {
      const version = ledger.version();
      const { evaluations } = verifier;
      const evaluates = evaluatesAt(plan, version);
      if (evaluates) evaluations.begin(version);
      const since = timeline.now();
      const done = () => ledger.evaluated() && evaluations.cleared(version, ledger.evaluated);
      await untilWhole(done, () =>
        awaitEvaluation(version, awaited(ledger.unevaluated(), evaluations.awaited(version))),
      );
      if (evaluates) timeline.passed('evaluate', since, version - 1);
      if (lost() || !done()) return false;
      evaluations.done(version);
      return true;
    },
    async applied(ledger) {
      const step = ledger.version();
      ledger.permitStep();
      verifier.steps.begin(step);
      const since = timeline.now();
      // A check can begin the step anew.
      const missing = () => ledger.current()?.missing() ?? [];
      await untilWhole(
        () => {
          // Not only on messages: who was to check a step may be gone.
          pump();
          return ledger.current()?.done() === true;
        },
        () => awaitStep(step, servers.names, awaited(missing(), verifier.steps.awaited(step))),
      );
      timeline.passed('step', since, step);
      const end = ledger.current();
      if (lost() || end?.done() !== true) return undefined;
      verifier.steps.done(step);
      return end.totals();
    },
  };
}
