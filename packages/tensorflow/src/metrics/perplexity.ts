import { maskedSums } from '../losses/example-mean.js';
import { tf } from '../tf.js';
import { labelsLike } from './labels.js';
import type { SummedMetric } from './metric.js';

/** e to the power of the mean cross-entropy of all that is predicted: of each word, in a text. */
export const perplexity = (): SummedMetric => ({
  form: 'exponential',
  tensors(input) {
    const probabilities = input.probabilities();
    const labels = labelsLike(input.yTrue, probabilities, 'perplexity');
    // As that of the loss, also where probabilities do not add up to 1.
    const entropy = tf.metrics.categoricalCrossentropy(labels, probabilities);
    const { mask = tf.onesLike(entropy) } = input;
    const [over, under] = maskedSums(entropy, mask);
    return { over, under };
  },
});
