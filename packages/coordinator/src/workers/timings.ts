import type { ShardReport } from '@tutti/protocol';
import { SHOWN_SPEED_WINDOW, SLOW, SPEED_ENOUGH, SPEED_WINDOW } from '../tunables.js';
import { median } from './median.js';
import { createUsualTime, type UsualTime } from './usual-time.js';

/** What a worker can be busy with. */
export type WorkKind = 'gradient' | 'evaluation';

/**
 * How fast the workers are, from what is measured in two places: by each worker, how long it computed
 * a unit of work (a micro-batch, or a batch of an evaluation), which is its speed; and here, how long a
 * micro-batch takes until it is reported, which is what somebody can be late by.
 */
export interface WorkerTimings {
  measured(worker: string, work: WorkKind, unitMs: number): void;
  /** A worker has reported a part of a step. */
  reported(worker: string, reports: readonly ShardReport[]): void;
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
  /** What is shown of its speed: examples per second of its own computing, over its latest reports. */
  examplesPerSecond(worker: string): number | undefined;
  /** What a micro-batch usually takes until it is reported, whoever computes it. */
  readonly usual: Readonly<Record<WorkKind, UsualTime>>;
}

export function createWorkerTimings(): WorkerTimings {
  const units: Record<WorkKind, Map<string, number[]>> = {
    gradient: new Map(),
    evaluation: new Map(),
  };
  const latest = new Map<string, (readonly ShardReport[])[]>();
  /** Asked for once a worker, one after another: known until something is measured. */
  const medians = new Map<WorkKind, number>();

  /** What one unit takes the one in the middle; undefined if nobody has done any. */
  function medianOf(work: WorkKind): number | undefined {
    const all = units[work];
    if (all.size === 0) return undefined;
    const found = medians.get(work) ?? median([...all.values()].map(median));
    medians.set(work, found);
    return found;
  }

  return {
    usual: { gradient: createUsualTime(), evaluation: createUsualTime() },
    reported(worker, reports) {
      const known = latest.get(worker) ?? [];
      known.push(reports);
      if (known.length > SHOWN_SPEED_WINDOW) known.shift();
      latest.set(worker, known);
    },
    measured(worker, work, unitMs) {
      const known = units[work].get(worker) ?? [];
      known.push(unitMs);
      if (known.length > SPEED_WINDOW) known.shift();
      units[work].set(worker, known);
      medians.delete(work);
    },
    gone(worker) {
      for (const known of Object.values(units)) known.delete(worker);
      latest.delete(worker);
      medians.clear();
    },
    usualMs(worker, work) {
      const usual = medianOf(work);
      if (usual === undefined) return undefined;
      return Math.max(usual, median(units[work].get(worker) ?? []));
    },
    isSlow(worker) {
      const most = medianOf('gradient') ?? 0;
      return median(units.gradient.get(worker) ?? []) > SLOW * most;
    },
    examplesPerSecond(worker) {
      const reports = latest.get(worker)?.flat() ?? [];
      const computeMs = reports.reduce((sum, report) => sum + report.computeMs, 0);
      const count = reports.reduce((sum, report) => sum + report.count, 0);
      return computeMs > 0 ? (1000 * count) / computeMs : undefined;
    },
    speed(worker) {
      const known = units.gradient.get(worker) ?? [];
      const usual = median(known);
      // What takes no time by a coarse clock says nothing of speed.
      return known.length < SPEED_ENOUGH || usual <= 0 ? undefined : 1 / usual;
    },
  };
}
