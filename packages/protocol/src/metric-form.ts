/**
 * How the number that people read follows from sums over examples, where it is not the sum divided by
 * the number of examples. The parts of the metric `auc` are summed as `auc/p17`, and so on.
 *
 * - `ratio`: `over / under`
 * - `root`: the square root of that
 * - `exponential`: e to the power of that
 * - `determination`: 1 - residual / (square - total² / count), the mean of it over columns 0, 1, ...
 * - `area`: that under the ROC curve, from histograms of positives `p` and negatives `n` over the
 *   number of thresholds that a prediction is above
 */
export type MetricForm = 'ratio' | 'root' | 'exponential' | 'determination' | 'area';

export const METRIC_FORMS: readonly MetricForm[] = [
  'ratio',
  'root',
  'exponential',
  'determination',
  'area',
];

/** The forms of a program's metrics, by name; others are means over examples. */
export type MetricForms = Readonly<Record<string, MetricForm>>;
