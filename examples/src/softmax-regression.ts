/**
 * Handwritten digits by softmax regression, without TensorFlow: what trains here is a plain function
 * that returns the gradient of its loss. About 92 % of the test digits.
 *
 *     npm start -- examples/src/softmax-regression.ts --workers 2
 */
import type { Batch } from '@tutti/data';
import { defineProgram, type ParameterValues } from '@tutti/worker';
import { mnist } from './datasets/mnist.js';

const PIXELS = 784;
const CLASSES = 10;

export default defineProgram({
  name: 'softmax-regression',
  data: mnist,
  parameters: [
    { name: 'kernel', shape: [PIXELS, CLASSES] },
    { name: 'bias', shape: [CLASSES] },
  ],
  initialize: () => ({
    kernel: new Float32Array(PIXELS * CLASSES),
    bias: new Float32Array(CLASSES),
  }),
  gradient(weights, { batch }) {
    const gradient = {
      kernel: new Float32Array(PIXELS * CLASSES),
      bias: new Float32Array(CLASSES),
    };
    const result = forEachExample(weights, batch, (pixels, error) => {
      for (let c = 0; c < CLASSES; c++) gradient.bias[c]! += error[c]!;
      for (let p = 0; p < PIXELS; p++) {
        if (pixels[p] === 0) continue;
        for (let c = 0; c < CLASSES; c++)
          gradient.kernel[p * CLASSES + c]! += pixels[p]! * error[c]!;
      }
    });
    return { gradient, ...result };
  },
  evaluate: (weights, batch) => forEachExample(weights, batch, () => {}),
  optimizer: { name: 'sgd', learningRate: 0.2 },
  batchSize: 128,
  epochs: 5,
  seed: 1,
});

/** Gives each example's pixels and dL/dlogits = softmax(logits) - oneHot(label); sums the loss. */
function forEachExample(
  { kernel, bias }: ParameterValues,
  batch: Batch,
  visit: (pixels: ArrayLike<number>, error: Float64Array) => void,
) {
  const labels = batch.y!.data;
  const count = labels.length;
  let lossSum = 0;
  let accuracy = 0;
  for (let n = 0; n < count; n++) {
    const pixels = batch.x!.data.subarray(n * PIXELS, (n + 1) * PIXELS);
    const label = labels[n]!;
    const values = Float64Array.from(bias!);
    for (let p = 0; p < PIXELS; p++) {
      if (pixels[p] === 0) continue;
      for (let c = 0; c < CLASSES; c++) values[c]! += pixels[p]! * kernel![p * CLASSES + c]!;
    }
    const largest = Math.max(...values);
    if (values[label] === largest) accuracy++;
    const total = values.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    lossSum += Math.log(total) - (values[label]! - largest);
    for (let c = 0; c < CLASSES; c++) values[c] = Math.exp(values[c]! - largest) / total;
    values[label]! -= 1;
    visit(pixels, values);
  }
  return { lossSum, count, metrics: { accuracy } };
}
