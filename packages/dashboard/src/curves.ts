import type { StepEvent } from '@tutti/telemetry';
import { MOST_POINTS } from './tunables.js';
import type { Curves, Point } from './view.js';

/** The numbers of the steps of a run in bounded memory: means over as many steps as it takes. */
export interface RunCurves {
  add(event: StepEvent, at: number): void;
  /** All from a point on, if the reader has those of this revision before it; else all. */
  since(known: { readonly revision: number; readonly points: number }): Curves;
  /** Complete points, which do not change in this revision any more. */
  complete(): number;
  revision(): number;
}

interface Bucket {
  count: number;
  step: number;
  at: number;
  /** Sums of loss, examples/s, ms, and the metrics. */
  sums: number[];
}

export function createCurves(most = MOST_POINTS): RunCurves {
  const names: string[] = [];
  let buckets: Bucket[] = [];
  let span = 1;
  let revision = 0;

  /** The run went back, or another process goes on with it: what comes again is told again. */
  function forget(from: number) {
    if ((buckets.at(-1)?.step ?? 0) < from) return;
    buckets = buckets.filter((bucket) => bucket.step < from);
    revision++;
  }

  function named(event: StepEvent) {
    for (const name of Object.keys(event.metrics)) {
      if (names.includes(name)) continue;
      names.push(name);
      for (const bucket of buckets) bucket.sums.push(Number.NaN);
      if (buckets.length > 0) revision++;
    }
  }

  function halve() {
    const pairs: Bucket[] = [];
    for (let at = 0; at < buckets.length; at += 2)
      pairs.push(at + 1 < buckets.length ? merged(buckets[at]!, buckets[at + 1]!) : buckets[at]!);
    buckets = pairs;
    span *= 2;
    revision++;
  }

  return {
    add(event, at) {
      forget(event.step);
      named(event);
      const { loss, examplesPerSecond, stepMs, metrics } = event;
      const numbers = names.map((name) => metrics[name] ?? Number.NaN);
      const one = {
        count: 1,
        step: event.step,
        at,
        sums: [loss, examplesPerSecond, stepMs, ...numbers],
      };
      const last = buckets.at(-1);
      if (last !== undefined && last.count < span) buckets[buckets.length - 1] = merged(last, one);
      else buckets.push(one);
      if (buckets.length > most) halve();
    },
    since(known) {
      const start = known.revision === revision ? known.points : 0;
      const points = buckets.slice(start).map(pointOf);
      return { revision, metrics: [...names], span, start, points };
    },
    complete: () => buckets.filter(({ count }) => count >= span).length,
    revision: () => revision,
  };
}

function merged(a: Bucket, b: Bucket): Bucket {
  const sums = a.sums.map((sum, at) => sum + b.sums[at]!);
  return { count: a.count + b.count, step: b.step, at: b.at, sums };
}

function pointOf({ step, at, count, sums }: Bucket): Point {
  return [step, at, ...sums.map((sum) => finite(sum / count))];
}

/** JSON has no NaN and no infinity. */
export const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;
