import type { JobPlan } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { meansOf, NOTHING, plus, type Totals } from '../step/totals.js';
import type { SteeringState } from './steering-state.js';

/** Steps over which the current speed is taken. */
const SPEED_WINDOW = 20;

/** What a run that goes on must know of its beginning. */
export interface ProgressState {
  readonly examples: number;
  /** Totals of the epoch under way. */
  readonly epoch: Totals;
  /** What early stopping and plateaus have come to. */
  readonly steering?: SteeringState;
}

/** Turns the numbers of steps and evaluations into the events of a run, and remembers the last. */
export interface Progress {
  /** The step begins to count: earlier waiting (for an evaluation) is not its. */
  stepStarted(): void;
  /**
   * The run goes on at this version: after a restart, a resume, or back from a later one. Without
   * the state at that version, the loss of the epoch only covers the steps from there on.
   */
  startAt(version: number, state?: ProgressState): void;
  stepDone(step: number, totals: Totals): void;
  /** At the end of an epoch, and of the run. `evaluation` is absent if nothing is evaluated. */
  epochDone(version: number, evaluation: Totals | undefined): void;
  /** For a checkpoint. At the end of an epoch: before `epochDone`, which is told again after it. */
  state(): ProgressState;
  examples(): number;
  /** 0 where no step was done. */
  examplesPerSecond(): number;
  /** Means of the final evaluation if there is one, else of the last epoch. */
  final(): { readonly loss: number; readonly metrics: Readonly<Record<string, number>> };
}

export function createProgress(init: {
  readonly plan: JobPlan;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
}): Progress {
  const { plan, clock, emit } = init;
  const recent: { count: number; ms: number }[] = [];
  let started = clock.now();
  let epoch = NOTHING;
  let [examples, trained, trainingMs] = [0, 0, 0];
  let final: ReturnType<Progress['final']> = { loss: Number.NaN, metrics: {} };

  return {
    stepStarted() {
      started = clock.now();
    },
    startAt(version, state) {
      const { stepsPerEpoch, batchSize, trainingExamples } = plan;
      const inEpoch = Math.min((version % stepsPerEpoch) * batchSize, trainingExamples);
      examples =
        state?.examples ?? Math.floor(version / stepsPerEpoch) * trainingExamples + inEpoch;
      epoch = state?.epoch ?? NOTHING;
      started = clock.now();
    },
    stepDone(step, totals) {
      const now = clock.now();
      const stepMs = now - started;
      started = now;
      trainingMs += stepMs;
      examples += totals.count;
      trained += totals.count;
      epoch = plus(epoch, totals);
      recent.push({ count: totals.count, ms: stepMs });
      if (recent.length > SPEED_WINDOW) recent.shift();
      const window = recent.reduce((a, b) => ({ count: a.count + b.count, ms: a.ms + b.ms }));
      emit({
        event: 'step',
        step: step + 1,
        epoch: Math.floor(step / plan.stepsPerEpoch) + 1,
        ...meansOf(totals, plan.metricForms),
        examples,
        examplesPerSecond: (1000 * window.count) / window.ms,
        stepMs,
      });
    },
    epochDone(version, evaluation) {
      const training = meansOf(epoch, plan.metricForms);
      const evaluated =
        evaluation === undefined ? undefined : meansOf(evaluation, plan.metricForms);
      final = evaluated ?? training;
      emit({
        event: 'epoch',
        epoch: Math.ceil(version / plan.stepsPerEpoch),
        step: version,
        ...training,
        ...(evaluated === undefined ? {} : { evaluation: evaluated }),
      });
      epoch = NOTHING;
    },
    state: () => ({ examples, epoch }),
    examples: () => examples,
    examplesPerSecond: () => (trained === 0 ? 0 : (1000 * trained) / trainingMs),
    final: () => final,
  };
}

/** Whether an epoch ends at this version, or the run. */
export function endsEpoch(plan: JobPlan, version: number): boolean {
  return version > 0 && (version % plan.stepsPerEpoch === 0 || version === plan.steps);
}
