/** What of a metric is better. */
export type MetricDirection = 'less' | 'more';

/** Those of metrics, by name. */
export type MetricDirections = Readonly<Record<string, MetricDirection>>;

export const METRIC_DIRECTIONS: readonly MetricDirection[] = ['less', 'more'];

/** Where nothing is known but its name: less of what is called a loss, an error or a perplexity, else more. */
export function directionOf(metric: string, known: MetricDirections = {}): MetricDirection {
  if (Object.hasOwn(known, metric)) return known[metric]!;
  return /loss|error|perplexity/i.test(metric) ? 'less' : 'more';
}
