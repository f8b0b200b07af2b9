import type { Means } from '@tutti/checkpoint';
import type { MetricForms, ShardReport } from '@tutti/protocol';
import { metricValues } from './metric-values.js';

/** Sums over examples, and the means that people read. */
export interface Totals {
  readonly count: number;
  readonly lossSum: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export const NOTHING: Totals = { count: 0, lossSum: 0, metrics: {} };

/** Adds the numbers of all shards in the order of the shards, so that the sum is always the same. */
export function totalOf(reports: Iterable<ShardReport>): Totals {
  return [...reports].sort((a, b) => a.shard - b.shard).reduce(plus, NOTHING);
}

export function plus(total: Totals, more: Totals): Totals {
  const metrics = { ...total.metrics };
  for (const [name, sum] of Object.entries(more.metrics))
    metrics[name] = (metrics[name] ?? 0) + sum;
  return { count: total.count + more.count, lossSum: total.lossSum + more.lossSum, metrics };
}

/**
 * What people read: means over examples, and metrics of other forms.
 * @param forms those of the plan
 */
export function meansOf({ count, lossSum, metrics }: Totals, forms: MetricForms = {}): Means {
  return { loss: lossSum / count, metrics: metricValues(metrics, count, forms) };
}
