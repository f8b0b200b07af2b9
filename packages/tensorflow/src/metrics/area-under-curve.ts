import { spread } from '../losses/example-mean.js';
import { tf } from '../tf.js';
import { labelsLike, onlyClass } from './labels.js';
import type { MetricOptions, SummedMetric } from './metric.js';

/**
 * The area under the ROC curve at thresholds that are as far from each other, as in Keras. It comes of
 * two histograms of whole numbers, so adding them is exact.
 */
export function areaUnderCurve({ thresholds = 200, class: only }: MetricOptions): SummedMetric {
  return {
    form: 'area',
    tensors(input) {
      const probabilities = input.probabilities();
      const labels = labelsLike(input.yTrue, probabilities, 'auc');
      const [scores, meant] = [probabilities, labels].map((each) => onlyClass(each, only));
      const { mask } = input;
      const counts = mask === undefined ? tf.onesLike(meant!) : spread(mask, meant!);
      return { scores: scores!, meant: meant!, counts: counts.mul(tf.onesLike(meant!)) };
    },
    sums({ scores = [], meant = [], counts = [] }) {
      const sums: Record<string, number> = {};
      for (let i = 0; i < scores.length; i++) {
        if (counts[i] === 0) continue;
        // How many of -ε, 1/(t-1), 2/(t-1), ..., 1+ε it is above.
        const above = Math.ceil(scores[i]! * (thresholds - 1));
        const bin = Math.max(1, Math.min(thresholds - 1, above));
        const part = `${meant[i]! > 0.5 ? 'p' : 'n'}${bin}`;
        sums[part] = (sums[part] ?? 0) + 1;
      }
      return sums;
    },
  };
}
