import type { Means } from '@tutti/checkpoint';
import { isBetter, metricOf } from '@tutti/checkpoint/internal';
import { directionOf, type JobPlan } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { CheckpointInterval } from './snapshot.js';

/** Decides at which versions checkpoints are taken. */
export interface CheckpointSchedule {
  /**
   * Whether to take one of this version.
   * @param underWay how many are being captured or written: only a better one comes besides; others
   *   come when that is done
   */
  due(version: number, evaluation: Means | undefined, underWay: number): boolean;
  /**
   * The first version after this one at which one may be due for its time; this one, if that is so already.
   * Those for the best are of evaluated versions.
   */
  next(version: number): number;
  /** The run starts here, or goes back to here: there is a checkpoint of it, or nothing to keep. */
  startAt(version: number): void;
}

export function createCheckpointSchedule(init: {
  readonly every: CheckpointInterval | undefined;
  readonly best: string | undefined;
  readonly plan: Pick<JobPlan, 'metricDirections'>;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
}): CheckpointSchedule {
  const { every, best: metric, plan, clock, emit } = init;
  const direction = directionOf(metric ?? 'loss', plan.metricDirections);
  let takenAt = clock.now();
  let taken = -1;
  /** One was due while another was under way. */
  let owed = false;
  let best: { readonly version: number; readonly value: number } | undefined;
  let warned = false;

  function warnOfUnknown(name: string, { metrics }: Means) {
    const known = ['loss', ...Object.keys(metrics)];
    if (warned || known.includes(name)) return;
    warned = true;
    emit({
      event: 'warning',
      code: 'BAD_CONFIG',
      message: `The evaluation has no ${name}, so no checkpoint is written for the best one.`,
      remedy: `Give --checkpoint-best one of ${known.join(', ')}.`,
    });
  }

  /** The best itself comes again where the run has gone back before it: it may not have been written. */
  function improves(version: number, evaluation: Means | undefined): boolean {
    if (metric === undefined || evaluation === undefined) return false;
    warnOfUnknown(metric, evaluation);
    const value = metricOf(evaluation, metric);
    if (value === undefined) return false;
    if (best !== undefined && best.version !== version && !isBetter(direction, value, best.value))
      return false;
    best = { version, value };
    return true;
  }

  return {
    due(version, evaluation, underWay) {
      if (version === taken) return false;
      const now = clock.now();
      if (every !== undefined)
        owed ||= 'steps' in every ? version % every.steps === 0 : now - takenAt >= every.ms;
      const onTime = owed && underWay === 0;
      if (!improves(version, evaluation) && !onTime) return false;
      taken = version;
      if (owed) takenAt = now;
      owed = false;
      return true;
    },
    next(version) {
      if (every === undefined) return Number.POSITIVE_INFINITY;
      if (owed || ('ms' in every && clock.now() - takenAt >= every.ms)) return version;
      if ('ms' in every) return Number.POSITIVE_INFINITY;
      return every.steps * (Math.floor(version / every.steps) + 1);
    },
    startAt(version) {
      taken = version;
      takenAt = clock.now();
      owed = false;
    },
  };
}
