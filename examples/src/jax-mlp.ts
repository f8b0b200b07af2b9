/**
 * Handwritten digits by a network with one hidden layer, with jax-js in place of TensorFlow: it needs no
 * native library, so it runs wherever Node does. A micro-batch of 32 takes 1.8 times the processor time of
 * the same network on native TensorFlow, one of 128 three times.
 *
 *     npm start -- examples/src/jax-mlp.ts --workers 2
 */
import { jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import type { Batch } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import { defineProgram, type ParameterValues } from '@tutti/worker';
import { mnist } from './datasets/mnist.js';

const SHAPES = { hidden: [784, 128], hiddenBias: [128], output: [128, 10], outputBias: [10] };
type Weights = Record<keyof typeof SHAPES, np.Array>;

/** The loss summed over the examples, and how many are right. An array that is used again is a `ref`. */
function loss(
  { hidden, hiddenBias, output, outputBias }: Weights,
  x: np.Array,
  y: np.Array,
): [lossSum: np.Array, right: np.Array] {
  const activation = nn.relu(np.add(np.matmul(x, hidden), hiddenBias));
  const logits = np.add(np.matmul(activation, output), outputBias);
  const right = np.equal(np.argmax(logits.ref, 1), y.ref);
  const logLikelihood = np.multiply(nn.logSoftmax(logits), nn.oneHot(y, 10));
  return [np.negative(np.sum(logLikelihood)), np.sum(right.astype(np.float32))];
}

// What it has compiled for one shape of a batch serves all others of that shape.
const forward = jit(loss);
const withGradient = jit(valueAndGrad(loss, { hasAux: true }));

const argumentsOf = (weights: ParameterValues, { x, y }: Batch): [Weights, np.Array, np.Array] => [
  Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => [name, np.array(weights[name]!).reshape(shape)]),
  ) as Weights,
  np.array(x!.data as Float32Array).reshape([x!.shape[0]!, 784]),
  np.array(y!.data as Int32Array),
];

export default defineProgram({
  name: 'jax-mlp',
  data: mnist,
  // Its kernels are compiled for the processor by V8, which may fuse a product and a sum.
  arithmetic: { v8: process.versions.v8, architecture: process.arch },
  parameters: Object.entries(SHAPES).map(([name, shape]) => ({ name, shape })),
  initialize(seed) {
    const random = createRandom(seed);
    const values = ([rows, columns]: number[]) => {
      if (columns === undefined) return new Float32Array(rows!);
      // Glorot and Bengio 2010, equation 16.
      const limit = Math.sqrt(6 / (rows! + columns));
      return Float32Array.from({ length: rows! * columns }, () => limit * (2 * random.next() - 1));
    };
    return Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, values(shape)]));
  },
  async gradient(weights, { batch }) {
    const [[lossSum, right], gradients] = withGradient(...argumentsOf(weights, batch));
    const gradient: Record<string, Float32Array> = {};
    for (const [name, array] of Object.entries(gradients as Weights))
      gradient[name] = (await array.data()) as Float32Array;
    return { gradient, ...(await sums(batch, lossSum, right)) };
  },
  async evaluate(weights, batch) {
    return sums(batch, ...forward(...argumentsOf(weights, batch)));
  },
  optimizer: { name: 'adam', learningRate: 0.001 },
  batchSize: 128,
  epochs: 3,
  seed: 1,
});

async function sums(batch: Batch, loss: np.Array, right: np.Array) {
  const [lossSum, accuracy] = [(await loss.data())[0]!, (await right.data())[0]!];
  return { lossSum, count: batch.y!.shape[0]!, metrics: { accuracy } };
}
