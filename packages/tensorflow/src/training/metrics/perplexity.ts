import { tf } from '../../tf.js';
import { maskedSums } from '../example-mean.js';
import { labelsLike } from './labels.js';
import type { SummedMetric } from './metric.js';

/** What tfjs and Keras take for the logarithm of 0. */
const EPSILON = 1e-7;

/** e to the power of the mean cross-entropy of all that is predicted: of each word, in a text. */
export const perplexity = (): SummedMetric => ({
  form: 'exponential',
  tensors(input) {
    const probabilities = input.probabilities();
    const labels = labelsLike(input.yTrue, probabilities, 'perplexity');
    const likely = probabilities.mul(labels).sum(-1).clipByValue(EPSILON, 1);
    const entropy = likely.log().neg();
    const { mask = tf.onesLike(entropy) } = input;
    const [over, under] = maskedSums(entropy, mask);
    return { over, under };
  },
});
