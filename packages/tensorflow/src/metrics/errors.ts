import { maskedSums, meanOfRest, spread } from '../losses/example-mean.js';
import { alike, ERRORS } from '../losses/losses.js';
import { tf } from '../tf.js';
import { MEAN, type MetricInput, type SummedMetric, sum } from './metric.js';

export const meanAbsoluteError = (): SummedMetric => ofErrors('meanAbsoluteError');
export const meanSquaredError = (): SummedMetric => ofErrors('meanSquaredError');

function ofErrors(name: keyof typeof ERRORS): SummedMetric {
  return {
    tensors: (input) => ({ [MEAN]: ERRORS[name](input.yTrue, input.predictions(), input.mask) }),
  };
}

/** The root of the mean over all numbers that count, of all examples. */
export const rootMeanSquaredError = (): SummedMetric => ({
  form: 'root',
  tensors(input) {
    const { squares, mask } = errorsOf(input, 'rootMeanSquaredError');
    const [over, under] = sumsOf(squares, mask);
    return { over, under };
  },
});

/** R², the mean over what is predicted: 1 - sum of squared errors / sum of squared deviations. */
export const r2 = (): SummedMetric => ({
  form: 'determination',
  tensors(input) {
    const { squares, labels, mask } = errorsOf(input, 'r2');
    const columns = labels.rank > 1 ? labels.shape[labels.rank - 1]! : 1;
    const rows = (tensor: tf.Tensor) => tensor.reshape([-1, columns]);
    const ones = tf.onesLike(labels.rank > 1 ? labels.sum(-1) : labels);
    const counts = mask === undefined ? ones : ones.mul(spread(mask, ones));
    return { errors: rows(squares), labels: rows(labels), counts };
  },
  sums({ errors = [], labels = [], counts = [] }) {
    const columns = counts.length === 0 ? 0 : labels.length / counts.length;
    const sums: Record<string, number> = { count: sum(counts) };
    for (let column = 0; column < columns; column++) {
      let [residual, total, square] = [0, 0, 0];
      for (let row = 0; row < counts.length; row++) {
        if (counts[row] === 0) continue;
        const label = labels[row * columns + column]!;
        residual += errors[row * columns + column]!;
        total += label;
        square += label * label;
      }
      sums[`residual${column}`] = residual;
      sums[`total${column}`] = total;
      sums[`square${column}`] = square;
    }
    return sums;
  },
});

function errorsOf(input: MetricInput, who: string) {
  const predictions = input.predictions();
  const labels = alike(input.yTrue, predictions, who);
  return { squares: tf.squaredDifference(predictions, labels), labels, mask: input.mask };
}

/** For each example, the sum of the values and how many there are, for a mean over the last dimensions. */
function sumsOf(values: tf.Tensor, mask: tf.Tensor | undefined): [tf.Tensor, tf.Tensor] {
  if (mask !== undefined) return maskedSums(values, mask);
  const means = meanOfRest(values);
  return [means, tf.onesLike(means)];
}
