import { evaluatesAt, type JobPlan, type ShardReport } from '@tutti/protocol';
import type { StepProgress } from '@tutti/run';

/** Reports of one evaluation, by shard. */
export type EvaluationReports = Map<number, ShardReport>;

/** A step, wherever its sums are made. */
export interface LedgerStep extends Omit<StepProgress, 'give' | 'complete' | 'applied' | 'reopen'> {
  /** Gives back what it holds. */
  release(): void;
}

/**
 * What has been received of the step and the evaluation under way, and of the next ones: a worker may
 * have the next version before the coordinator has every acknowledgement of it. Nobody can be further.
 */
export interface Ledger<S extends LedgerStep = LedgerStep> {
  readonly plan: JobPlan;
  /** The version that the weights are at: step `version` is under way. */
  version(): number;
  /** That of `step` for the current version; undefined after the last. */
  current(): S | undefined;
  /** Undefined for a step that is over or out of reach. */
  step(at: number): S | undefined;
  /** Undefined for a version that is not evaluated, is over or out of reach. */
  evaluation(at: number): EvaluationReports | undefined;
  /** Whether the current version needs no more evaluation. */
  evaluated(): boolean;
  /** Shards that the evaluation of the current version lacks. */
  unevaluated(): number[];
  isUnevaluated(shard: number): boolean;
  /** The current version is evaluated, and a checkpoint of it ordered if one is due. */
  permitStep(): void;
  /**
   * Servers may go on to this version by themselves; they may be there already, and workers then are at the
   * one before or at it.
   */
  allow(until: number): void;
  /** The last version that was allowed; all steps from there on take an order. */
  allowed(): number;
  /** Whether servers may apply the step under way. */
  stepPermitted(): boolean;
  /** Whether a server has begun with that: nothing of the step can be taken back then. */
  stepBegun(): boolean;
  /** Nothing is kept of the step under way, nor of the next, nor of an evaluation that is not over. */
  redo(): void;
  /** The step under way is done. */
  advance(): void;
  release(): void;
}

export function createLedger<S extends LedgerStep>(init: {
  readonly plan: JobPlan;
  readonly version: number;
  /** Servers may be there already, with some of their chunks: whoever was here before has ordered it. */
  readonly most: number;
  readonly createStep: (step: number) => S;
}): Ledger<S> {
  const { plan } = init;
  let { version } = init;
  const steps = new Map<number, S>();
  const evaluations = new Map<number, EvaluationReports>();
  let permitted = false;
  let allowed = init.most;
  const inReach = (at: number) => at >= version && at <= Math.max(version, allowed) + 1;

  const ledger: Ledger<S> = {
    plan,
    version: () => version,
    current: () => ledger.step(version),
    step(at) {
      if (!inReach(at) || at >= plan.steps) return undefined;
      return entry(steps, at, () => init.createStep(at));
    },
    evaluation(at) {
      if (!inReach(at) || !evaluatesAt(plan, at)) return undefined;
      return entry(evaluations, at, () => new Map());
    },
    evaluated: () => (ledger.evaluation(version)?.size ?? plan.shards) === plan.shards,
    unevaluated() {
      const reports = ledger.evaluation(version);
      const all = Array.from({ length: plan.shards }, (_, shard) => shard);
      return reports === undefined ? [] : all.filter((shard) => !reports.has(shard));
    },
    isUnevaluated: (shard) => ledger.evaluation(version)?.has(shard) === false,
    permitStep() {
      permitted = true;
    },
    allow(until) {
      allowed = Math.max(allowed, until);
    },
    allowed: () => allowed,
    stepPermitted: () => permitted,
    stepBegun: () => version < allowed || ledger.current()?.begun() === true,
    redo() {
      if (!permitted) evaluations.clear();
      for (const step of steps.values()) step.release();
      steps.clear();
    },
    advance() {
      steps.get(version)?.release();
      steps.delete(version);
      evaluations.delete(version);
      permitted = false;
      version++;
    },
    release() {
      for (const step of steps.values()) step.release();
    },
  };
  return ledger;
}

function entry<T>(map: Map<number, T>, key: number, create: () => T): T {
  let found = map.get(key);
  if (found === undefined) {
    found = create();
    map.set(key, found);
  }
  return found;
}
