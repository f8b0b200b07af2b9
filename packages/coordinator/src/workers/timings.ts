import { SLOW, SPEED_ENOUGH, SPEED_WINDOW } from '../tunables.js';

/** What a worker can be busy with. */
export type WorkKind = 'gradient' | 'evaluation';

/** How long everybody takes for one unit of work: a micro-batch, or a batch of an evaluation. */
export interface WorkerTimings {
  measured(worker: string, work: WorkKind, unitMs: number): void;
  gone(worker: string): void;
  /**
   * What one unit takes: this worker as far as it is known, or the median of all, whichever is more;
   * undefined if nobody has done any.
   */
  usualMs(worker: string, work: WorkKind): number | undefined;
  /** Whether it takes half as long again as most do, or longer. */
  isSlow(worker: string): boolean;
  /** Micro-batches in a millisecond; undefined before there is enough to go by. */
  speed(worker: string): number | undefined;
}

export function createWorkerTimings(): WorkerTimings {
  const units: Record<WorkKind, Map<string, number[]>> = {
    gradient: new Map(),
    evaluation: new Map(),
  };
  return {
    measured(worker, work, unitMs) {
      const known = units[work].get(worker) ?? [];
      known.push(unitMs);
      if (known.length > SPEED_WINDOW) known.shift();
      units[work].set(worker, known);
    },
    gone(worker) {
      for (const known of Object.values(units)) known.delete(worker);
    },
    usualMs(worker, work) {
      const medians = [...units[work].values()].map(median);
      if (medians.length === 0) return undefined;
      return Math.max(median(medians), median(units[work].get(worker) ?? []));
    },
    isSlow(worker) {
      const most = median([...units.gradient.values()].map(median));
      return median(units.gradient.get(worker) ?? []) > SLOW * most;
    },
    speed(worker) {
      const known = units.gradient.get(worker) ?? [];
      const usual = median(known);
      // What takes no time by a coarse clock says nothing of speed.
      return known.length < SPEED_ENOUGH || usual <= 0 ? undefined : 1 / usual;
    },
  };
}

/** The lower of the two in the middle, of an even number; 0 of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
