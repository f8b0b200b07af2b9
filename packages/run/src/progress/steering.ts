import type { Means } from '@tutti/checkpoint';
import { isBetter, metricOf } from '@tutti/checkpoint/internal';
import { directionOf, type JobPlan, type Watched } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { ProgressState } from './progress.js';
import type { SteeringState } from './steering-state.js';

/** What is decided at the end of each epoch, on the numbers of its evaluation alone. */
export interface Steering {
  /** The run goes on from here: with what was decided until then, or from the beginning. */
  startAt(state: SteeringState | undefined, best: BestState | undefined): void;
  /**
   * An epoch has ended.
   * @param means of its evaluation; of its training where nothing is evaluated
   * @throws TuttiError BAD_CONFIG if what is watched is not among them
   */
  observe(version: number, means: Means): SteeringDecision;
  /** Remembers the weights of the version that was observed, to end with them. */
  keep(best: BestState): void;
  /** Those to end with; undefined where the last ones are. */
  best(): BestState | undefined;
  /** What the learning rate is multiplied with; 1 but for `reduceOnPlateau`. */
  rate(): number;
  /** For a checkpoint: taken before the version is observed that it is of. */
  state(): Pick<ProgressState, 'steering'>;
}

/** What comes of the end of an epoch. */
export interface SteeringDecision {
  /** The run ends here. */
  readonly stop: boolean;
  /** These weights are to be kept. */
  readonly keep: boolean;
}

/** Everything of the best version: a run can end with it, and be gone on with from there. */
export interface BestState {
  readonly version: number;
  readonly flat: Float32Array;
  /** The optimizer's state; none where nothing is saved. */
  readonly slots: readonly Float32Array[];
  readonly progress: ProgressState;
  readonly means: Means;
  /** Whether the means are of an evaluation. */
  readonly evaluated: boolean;
}

const BEGINNING: SteeringState = {
  rate: 1,
  stopping: { wait: 0 },
  plateau: { wait: 0, cooldown: 0 },
};

/** Whether a run depends on what its evaluations gave. */
export function isSteered({ earlyStopping, reduceOnPlateau }: JobPlan): boolean {
  return earlyStopping !== undefined || reduceOnPlateau !== undefined;
}

export function createSteering(init: {
  readonly plan: JobPlan;
  readonly emit: (event: RunEvent) => void;
}): Steering {
  const { plan, emit } = init;
  const { earlyStopping, reduceOnPlateau, metricDirections } = plan;
  let state = BEGINNING;
  let best: BestState | undefined;

  function improves(
    { monitor = 'loss', better, minChange = 0 }: Watched,
    value: number,
    than: number | undefined,
  ): boolean {
    if (Number.isNaN(value)) return false;
    if (than === undefined) return true;
    const direction = better ?? directionOf(monitor, metricDirections);
    return isBetter(direction, value, direction === 'less' ? than - minChange : than + minChange);
  }

  /** As Keras' EarlyStopping: its first epoch is better than nothing. */
  function observeStopping(means: Means): SteeringDecision {
    if (earlyStopping === undefined) return { stop: false, keep: false };
    const { patience = 0, keepBest = true } = earlyStopping;
    const { stopping } = state;
    const value = watched('earlyStopping', earlyStopping, means);
    if (improves(earlyStopping, value, stopping.best)) {
      state = { ...state, stopping: { best: value, wait: 0 } };
      return { stop: false, keep: keepBest };
    }
    const wait = stopping.wait + 1;
    state = { ...state, stopping: { ...stopping, wait } };
    return { stop: wait >= patience, keep: false };
  }

  /** As Keras' ReduceLROnPlateau; `floor` is its min_lr, as a share of the learning rate. */
  function observePlateau(version: number, epoch: number, means: Means) {
    if (reduceOnPlateau === undefined) return;
    const { patience = 10, factor = 0.1, floor = 0, cooldown: rest = 0 } = reduceOnPlateau;
    const minChange = reduceOnPlateau.minChange ?? 1e-4;
    const { plateau, rate } = state;
    const value = watched('reduceOnPlateau', reduceOnPlateau, means);
    const cooling = plateau.cooldown > 0;
    const cooldown = Math.max(0, plateau.cooldown - 1);
    const better = improves({ ...reduceOnPlateau, minChange }, value, plateau.best);
    const bestSoFar = better ? { best: value } : plateau;
    const wait = better || cooldown > 0 ? 0 : (cooling ? 0 : plateau.wait) + 1;
    state = { ...state, plateau: { ...bestSoFar, wait, cooldown } };
    if (wait < patience || wait === 0 || rate <= floor) return;
    const next = Math.max(rate * factor, floor);
    state = { ...state, rate: next, plateau: { ...bestSoFar, wait: 0, cooldown: rest } };
    emit({ event: 'learning-rate', step: version, epoch, factor: next });
  }

  return {
    startAt(from = BEGINNING, bestThen) {
      state = from;
      best = bestThen;
    },
    observe(version, means) {
      const epoch = Math.ceil(version / plan.stepsPerEpoch);
      observePlateau(version, epoch, means);
      const decision = observeStopping(means);
      if (decision.stop && version < plan.steps)
        emit({
          event: 'early-stop',
          step: version,
          epoch,
          monitor: earlyStopping!.monitor ?? 'loss',
          ...(best && { best: { step: best.version, ...best.means } }),
        });
      return decision;
    },
    keep(state) {
      best = state;
    },
    best: () => best,
    rate: () => state.rate,
    state: () => (isSteered(plan) ? { steering: state } : {}),
  };
}

function watched(who: string, { monitor = 'loss' }: Watched, means: Means): number {
  const known = ['loss', ...Object.keys(means.metrics)];
  if (!known.includes(monitor))
    throw new TuttiError('BAD_CONFIG', `${who} watches "${monitor}", which nobody measures`, {
      remedy: `Let its monitor be one of ${known.join(', ')}, or add it to the metrics.`,
      details: { monitor, known },
    });
  return metricOf(means, monitor) ?? Number.NaN;
}
