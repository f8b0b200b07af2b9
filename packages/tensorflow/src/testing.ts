import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import type { Computation, FloatSource, GradientResult, ParameterValues } from '@tutti/worker';
import { tf } from './tf.js';
import { defineTraining } from './training/training.js';
import type { TrainingOptions } from './training/training-options.js';

/** What the tests share. Not part of the package's interface. */
export function training(
  options: Pick<TrainingOptions, 'model' | 'loss'> & Partial<TrainingOptions>,
) {
  return defineTraining({
    data: () => {
      throw new Error('These tests give their batches themselves.');
    },
    optimizer: { name: 'sgd', learningRate: 0.1 },
    batchSize: 8,
    epochs: 1,
    seed: 1,
    ...options,
  });
}

export async function open(
  options: Pick<TrainingOptions, 'model' | 'loss'> & Partial<TrainingOptions>,
): Promise<Computation> {
  return await training(options).open();
}

/** Normally distributed `x`, and class numbers `y`, [n]. */
export function classified(n: number, shape: readonly number[], classes: number): Batch {
  const random = createRandom('batch', n, ...shape);
  const size = shape.reduce((product, extent) => product * extent, n);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return {
    x: { data: Float32Array.from({ length: size }, normal), shape: [n, ...shape] },
    y: { data: Int32Array.from({ length: n }, () => random.below(classes)), shape: [n] },
  };
}

/** In two parts, as chunks take them. */
export function copyOf(values: Float32Array | FloatSource): Float32Array {
  if (values instanceof Float32Array) return values.slice();
  const copy = new Float32Array(values.length);
  const cut = Math.ceil(values.length / 3);
  values.copyTo(copy.subarray(cut), cut);
  values.copyTo(copy.subarray(0, cut), 0);
  return copy;
}

export async function gradient(
  computation: Computation,
  weights: ParameterValues,
  batch: Batch,
  at: { epoch?: number; step?: number; shard?: number; seed?: number } = {},
): Promise<GradientResult> {
  const { epoch = 0, step = 0, shard = 0, seed = 1 } = at;
  const microBatch = () => {
    const random = createRandom('micro-batch', seed, epoch, step, shard);
    return { batch, epoch, step, shard, random };
  };
  const result = await computation.gradient(weights, microBatch());
  // Told early or at the end: the same bits.
  const told: Record<string, Float32Array> = {};
  const { gradient: rest } = await computation.gradient(weights, microBatch(), (name, values) => {
    told[name] = copyOf(values);
  });
  assert.deepEqual({ ...rest, ...told }, result.gradient);
  return result;
}

/** The ConvNet of the examples, smaller. */
export function smallConvNet(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [12, 12, 1], filters: 4, kernelSize: 3, activation: 'relu' }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ filters: 6, kernelSize: 3, activation: 'relu' }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 8, activation: 'relu' }),
      tf.layers.dense({ units: 5, activation: 'softmax' }),
    ],
  });
}

/** Compares gradients by the largest difference, relative to the largest element of each tensor. */
export function assertClose(
  actual: ParameterValues,
  expected: ParameterValues,
  tolerance: number,
): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    values.forEach((value, i) => {
      const found = actual[name]![i]!;
      assert.ok(
        Math.abs(found - value) <= tolerance * scale,
        `${name}[${i}] is ${found}, expected ${value} (largest ${scale})`,
      );
    });
  }
}

/** Central differences of the loss at some elements of every parameter. */
export async function assertFiniteDifferences(
  computation: Computation,
  weights: ParameterValues,
  batch: Batch,
  tolerance = 2e-2,
): Promise<void> {
  const { gradient: analytic } = await gradient(computation, weights, batch);
  const random = createRandom('elements');
  const epsilon = 1e-2;
  for (const { name, update } of computation.parameters) {
    if (update === 'average') continue;
    const scale = analytic[name]!.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    for (let k = 0; k < 3; k++) {
      const i = random.below(analytic[name]!.length);
      const at = async (delta: number) => {
        const moved = weights[name]!.slice();
        moved[i]! += delta;
        return (await gradient(computation, { ...weights, [name]: moved }, batch)).lossSum;
      };
      const numeric = ((await at(epsilon)) - (await at(-epsilon))) / (2 * epsilon);
      assert.ok(
        Math.abs(numeric - analytic[name]![i]!) <= tolerance * scale,
        `${name}[${i}]: gradient ${analytic[name]![i]}, finite difference ${numeric}`,
      );
    }
  }
}
