import type { JobPlan } from '@tutti/protocol';
import {
  endsEpoch,
  meansOf,
  type Progress,
  type ProgressState,
  type Recorder,
  type Steering,
  totalOf,
} from '@tutti/run';
import type { CatchUp } from '../alignment/catch-up.js';
import type { Checkpoints } from '../checkpoints/checkpoints.js';
import type { Ledger } from '../state/ledger.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import type { Completion } from './completion.js';
import type { FinalWeights } from './final-weights.js';
import type { LookAhead } from './look-ahead.js';

/** How far a training came. */
export interface Reached {
  readonly version: number;
  readonly interrupted: boolean;
  /** The run is over: neither interrupted, nor has a server lost its weights. */
  readonly over: boolean;
}

/**
 * Takes a ledger from version to version: evaluates it, has a checkpoint taken if one is due, decides at
 * the end of an epoch how to go on, and has the next step applied.
 */
export type TrainingLoop = (ledger: Ledger, progress: Progress) => Promise<Reached>;

export function createTrainingLoop(init: {
  readonly plan: JobPlan;
  readonly completion: Completion;
  readonly checkpoints: Pick<Checkpoints, 'between' | 'halt'>;
  readonly supervisor: Pick<Supervisor, 'begin' | 'next'>;
  readonly recorder: Pick<Recorder, 'done'>;
  readonly steering: Steering;
  readonly finalWeights: Pick<FinalWeights, 'collect' | 'release'>;
  /** Lets the servers go on by themselves as far as nothing is to be decided, once the step may begin. */
  readonly lookAhead: LookAhead;
  readonly catchUp: Pick<CatchUp, 'bring'>;
  /** Whether a server has lost its weights. */
  readonly lost: () => boolean;
}): TrainingLoop {
  const { plan, completion, checkpoints, supervisor, recorder, steering, finalWeights } = init;
  const { lost } = init;

  /**
   * An epoch has ended: decides how it goes on.
   * @returns whether the run ends here; undefined if a server has lost the weights that are to be kept
   */
  async function steered(
    version: number,
    { progress, before, evaluated }: Observed,
  ): Promise<boolean | undefined> {
    const means = progress.final();
    const decision = steering.observe(version, means);
    if (!decision.keep) return decision.stop;
    const collected = await finalWeights.collect(version);
    finalWeights.release();
    if (collected === undefined) return undefined;
    const { flat, slots } = collected;
    steering.keep({ version, flat, slots, progress: before, means, evaluated });
    return decision.stop;
  }

  return async (ledger, progress) => {
    const state = () => ({ ...progress.state(), ...steering.state() });
    for (;;) {
      const version = ledger.version();
      const end = () => ({ version, interrupted: !lost(), over: false });
      if (!(await completion.evaluated(ledger))) {
        if (!lost()) checkpoints.halt(state(), steering.best());
        return end();
      }
      const reports = ledger.evaluation(version);
      if (reports !== undefined) supervisor.begin();
      const evaluation = reports && totalOf(reports.values());
      const means = evaluation && meansOf(evaluation, plan.metricForms);
      const before = state();
      const passed = version < ledger.allowed();
      checkpoints.between(version, before, means, steering.best(), passed);
      let stop: boolean | undefined = version === plan.steps;
      if (endsEpoch(plan, version)) {
        progress.epochDone(version, evaluation);
        const observed = { progress, before, evaluated: means !== undefined };
        const told = await steered(version, observed);
        if (told === undefined) return end();
        stop ||= told;
        progress.stepStarted();
      }
      if (stop) return { version, interrupted: false, over: true };
      init.lookAhead(ledger);
      if (version >= ledger.allowed()) await init.catchUp.bring(version);
      const totals = await completion.applied(ledger);
      if (totals === undefined) return end();
      progress.stepDone(version, totals);
      recorder.done(version, totals, steering.rate());
      ledger.advance();
      supervisor.next();
    }
  };
}

/** The end of an epoch. */
interface Observed {
  readonly progress: Progress;
  /** As a checkpoint of this version has it. */
  readonly before: ProgressState;
  readonly evaluated: boolean;
}
