import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { createKernels } from '@tutti/kernels';
import type { OptimizerSpec } from '@tutti/protocol';
import { createRandom } from '@tutti/runtime';
import { createOptimizer, createStore, learningRateAt } from '@tutti/store';

const STEPS = 100;
const LENGTH = 103;
const COUNT = 16;
const TOLERANCE = 1e-6;

interface Run {
  readonly initial: Float32Array;
  /** The summed gradients of each step. */
  readonly sums: readonly Float32Array[];
}

/** Gradients of many magnitudes, in part with a trend, so that all slots have something to do. */
function makeRun(seed: number, scale: number): Run {
  const random = createRandom('conformance', seed);
  const vector = (make: (index: number) => number) =>
    Float32Array.from({ length: LENGTH }, (_, i) => make(i));
  const trend = vector(() => random.next() - 0.5);
  const initial = vector(() => (scale === 0 ? 0 : random.next() - 0.5));
  const sums = Array.from({ length: STEPS }, () =>
    vector((index) => COUNT * 10 ** -(index % 4) * (trend[index]! + 2 * random.next() - 1)),
  );
  return { initial, sums };
}

function trainHere(spec: OptimizerSpec, { initial, sums }: Run): Float64Array {
  const segments = [[{ start: 0, length: LENGTH, update: 'gradient', decay: true }] as const];
  const optimizer = createOptimizer(spec);
  const kernels = createKernels();
  const store = createStore({
    kernels,
    optimizer,
    firstChunk: 0,
    chunkLengths: [LENGTH],
    segments,
  });
  store.initialize(0, initial);
  sums.forEach((sum, step) => {
    store.apply(step, 0, new Uint8Array(sum.buffer), COUNT, 1);
  });
  return Float64Array.from(new Float32Array(store.read(0, STEPS)!.slice().buffer));
}

/** What the spec does to the mean gradient before the optimizer sees it, in tfjs' own operations. */
function conditioned(gradient: tf.Tensor, weights: tf.Tensor, spec: OptimizerSpec): tf.Tensor {
  const { clipValue, weightDecay = 0 } = spec;
  const limited =
    clipValue === undefined ? gradient : tf.clipByValue(gradient, -clipValue, clipValue);
  return tf.add(limited, tf.mul(weights, weightDecay));
}

let variables = 0;

function trainInTensorFlow(
  optimizer: tf.Optimizer,
  { initial, sums }: Run,
  spec: OptimizerSpec,
): Float64Array {
  const weights = tf.variable(tf.tensor1d(initial), true, `weights${variables++}`);
  for (const sum of sums) {
    tf.tidy(() => {
      const gradient = tf.tensor1d(sum.map((value) => value / COUNT));
      const tensor = conditioned(gradient, weights, spec);
      optimizer.applyGradients([{ name: weights.name, tensor }]);
    });
  }
  const result = Float64Array.from(weights.dataSync());
  weights.dispose();
  return result;
}

/** The published formula in float64: one weight, from its gradients to where it ends. */
type Formula = (w: number, gradients: readonly number[]) => number;

function trainByFormula(formula: Formula, { initial, sums }: Run): Float64Array {
  return Float64Array.from(initial, (w, index) =>
    formula(
      w,
      sums.map((sum) => Math.fround(sum[index]! / COUNT)),
    ),
  );
}

/** max |a - b| / max |b|, and the Euclidean one. */
function distances(actual: Float64Array, expected: Float64Array): { most: number; norm: number } {
  let most = 0;
  let largest = 0;
  actual.forEach((value, index) => {
    most = Math.max(most, Math.abs(value - expected[index]!));
    largest = Math.max(largest, Math.abs(expected[index]!));
  });
  const difference = Math.hypot(...actual.map((value, index) => value - expected[index]!));
  return { most: most / largest, norm: difference / Math.hypot(...expected) };
}

const peers: Record<string, [OptimizerSpec, () => tf.Optimizer]> = {
  sgd: [{ name: 'sgd', learningRate: 0.01 }, () => tf.train.sgd(0.01)],
  momentum: [
    { name: 'momentum', learningRate: 0.01, momentum: 0.8 },
    () => tf.train.momentum(0.01, 0.8),
  ],
  nesterov: [{ name: 'nesterov', learningRate: 0.01 }, () => tf.train.momentum(0.01, 0.9, true)],
  adagrad: [{ name: 'adagrad', learningRate: 0.05 }, () => tf.train.adagrad(0.05)],
  'adagrad from 0.5': [
    { name: 'adagrad', learningRate: 0.05, initialAccumulator: 0.5 },
    () => tf.train.adagrad(0.05, 0.5),
  ],
  rmsprop: [{ name: 'rmsprop', learningRate: 0.01 }, () => tf.train.rmsprop(0.01)],
  'rmsprop with momentum': [
    { name: 'rmsprop', learningRate: 0.01, decay: 0.95, momentum: 0.7, epsilon: 1e-4 },
    () => tf.train.rmsprop(0.01, 0.95, 0.7, 1e-4),
  ],
  'rmsprop, centered': [
    { name: 'rmsprop', learningRate: 0.001, momentum: 0.5, centered: true, epsilon: 1e-12 },
    () => tf.train.rmsprop(0.001, 0.9, 0.5, 1e-12, true),
  ],
  adam: [{ name: 'adam', learningRate: 0.001 }, () => tf.train.adam()],
  'adam with other betas': [
    { name: 'adam', learningRate: 0.01, beta1: 0.8, beta2: 0.99, epsilon: 1e-3 },
    () => tf.train.adam(0.01, 0.8, 0.99, 1e-3),
  ],
  'momentum with weight decay': [
    { name: 'momentum', learningRate: 0.01, weightDecay: 0.1 },
    () => tf.train.momentum(0.01, 0.9),
  ],
  'adam with weight decay and limited elements': [
    { name: 'adam', learningRate: 0.001, weightDecay: 0.05, clipValue: 0.1 },
    () => tf.train.adam(),
  ],
  adadelta: [{ name: 'adadelta', learningRate: 1 }, () => tf.train.adadelta(1)],
  adamax: [{ name: 'adamax', learningRate: 0.002 }, () => tf.train.adamax()],
  'adamax with decay': [
    { name: 'adamax', learningRate: 0.002, decay: 0.05 },
    () => tf.train.adamax(0.002, 0.9, 0.999, undefined, 0.05),
  ],
};

const adamwSpec = { name: 'adamw', learningRate: 0.003, weightDecay: 0.02 } as const;
const nesterovSpec = { name: 'nesterov', learningRate: 0.01, momentum: 0.7 } as const;
const warmSpec: OptimizerSpec = {
  name: 'adamw',
  learningRate: 0.003,
  weightDecay: 0.02,
  warmupSteps: 10,
  schedule: { kind: 'cosine', steps: 80, floor: 0.1 },
};

/** Loshchilov & Hutter 2019, algorithm 2. */
function adamw(spec: OptimizerSpec): Formula {
  return (initial, gradients) => {
    let [w, m, v] = [initial, 0, 0];
    gradients.forEach((g, step) => {
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const corrected = m / (1 - 0.9 ** (step + 1));
      const root = Math.sqrt(v / (1 - 0.999 ** (step + 1)));
      w -= learningRateAt(spec, step) * (corrected / (root + 1e-7) + spec.weightDecay! * w);
    });
    return w;
  };
}

/** Sutskever et al. 2013, equations 3 and 4, in the variable that the gradient is taken at. */
const nesterov: Formula = (initial, gradients) => {
  const { learningRate, momentum } = nesterovSpec;
  let theta = initial;
  let velocity = 0;
  let ahead = initial;
  for (const g of gradients) {
    velocity = momentum * velocity - learningRate * g;
    theta += velocity;
    ahead = theta + momentum * velocity;
  }
  return ahead;
};

const formulas: Record<string, [OptimizerSpec, Formula]> = {
  adamw: [adamwSpec, adamw(adamwSpec)],
  'adamw with warm-up and cosine': [warmSpec, adamw(warmSpec)],
  nesterov: [nesterovSpec, nesterov],
};

const starts = { 'random weights': makeRun(1, 1), 'weights of zero': makeRun(2, 0) };

describe('optimizers over 100 steps', () => {
  // That of the process, which other tests compute with.
  let backendBefore: string | undefined;
  before(async () => {
    backendBefore = tf.getBackend() || undefined;
    await tf.setBackend('cpu');
  });
  after(async () => {
    if (backendBefore !== undefined) await tf.setBackend(backendBefore);
  });

  for (const [start, run] of Object.entries(starts)) {
    const check = (spec: OptimizerSpec, expected: Float64Array) => {
      const { most, norm } = distances(trainHere(spec, run), expected);
      assert.ok(norm <= TOLERANCE, `relative distance ${norm}`);
      assert.ok(most <= TOLERANCE, `largest relative difference ${most}`);
    };
    for (const [name, [spec, create]] of Object.entries(peers)) {
      it(`${name} goes where TensorFlow.js goes, from ${start}`, () => {
        const optimizer = create();
        check(spec, trainInTensorFlow(optimizer, run, spec));
        optimizer.dispose();
      });
    }
    for (const [name, [spec, formula]] of Object.entries(formulas)) {
      it(`${name} follows its published formula, from ${start}`, () => {
        check(spec, trainByFormula(formula, run));
      });
    }
  }

  it('centered rmsprop goes on where that of TensorFlow.js turns into NaN', () => {
    const spec: OptimizerSpec = { name: 'rmsprop', learningRate: 0.001, centered: true };
    const zero = Array.from({ length: STEPS }, () => new Float32Array(LENGTH));
    const run = { initial: new Float32Array(LENGTH).fill(1), sums: zero };
    const optimizer = tf.train.rmsprop(0.001, 0.9, 0, undefined, true);
    assert.ok(Number.isNaN(trainInTensorFlow(optimizer, run, spec)[0]));
    optimizer.dispose();
    assert.ok(trainHere(spec, run).every((weight) => weight === 1));
  });
});
