/**
 * Gradients by Tutti (`ours`) or by tfjs-node as it comes (`plain`): a line {"model", "batch",
 * "iterations"} in, processor milliseconds of one gradient, values read, out.
 */
import { createInterface } from 'node:readline';
import type { Batch } from '@tutti/data';
import { pageAlignedFloats } from '@tutti/kernels';
import { createLayout } from '@tutti/parameters';
import { createRandom } from '@tutti/runtime';
import { defineTraining, tf } from '@tutti/tensorflow';
import type { TakeKnown } from '@tutti/worker';
import type { GradientTask, ModelName } from './gradient.js';

const { layers } = tf;
const activation = 'relu';

const MODELS: Record<
  ModelName,
  { readonly shape: readonly number[]; readonly stack: () => tf.layers.Layer[] }
> = {
  convnet: {
    shape: [28, 28, 1],
    stack: () => [
      layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 64, kernelSize: 3, activation }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 128, activation }),
    ],
  },
  lstm: {
    shape: [40, 64],
    stack: () => [
      layers.lstm({
        inputShape: [40, 64],
        units: 128,
        // That of Python's Keras, unlike the one that tfjs takes by itself.
        recurrentActivation: 'sigmoid',
        // The orthogonal one takes seconds to draw.
        recurrentInitializer: 'glorotUniform',
      }),
    ],
  },
  dense: {
    shape: [784],
    stack: () => [
      layers.dense({ inputShape: [784], units: 512, activation }),
      layers.dense({ units: 512, activation }),
    ],
  },
};
const CLASSES = 10;

type Once = () => Promise<unknown> | unknown;

function batchOf(shape: readonly number[], size: number): Batch {
  const random = createRandom('benchmark', size);
  const length = shape.reduce((product, extent) => product * extent, size);
  return {
    x: { data: Float32Array.from({ length }, () => random.next()), shape: [size, ...shape] },
    y: { data: Int32Array.from({ length: size }, () => random.below(CLASSES)), shape: [size] },
  };
}

const classifier = (stack: readonly tf.layers.Layer[], softmax: boolean) =>
  tf.sequential({
    layers: [
      ...stack,
      layers.dense({ units: CLASSES, ...(softmax ? { activation: 'softmax' as const } : {}) }),
    ],
  });

const preparations: Record<string, (name: ModelName, size: number) => Promise<Once>> = {
  async ours(name, size) {
    const { shape, stack } = MODELS[name];
    const computation = await defineTraining({
      model: () => classifier(stack(), true),
      loss: 'sparseCategoricalCrossentropy',
      data: () => {
        throw new Error('The benchmark gives its batch itself.');
      },
      optimizer: { name: 'sgd', learningRate: 0.1 },
      batchSize: size,
      epochs: 1,
      seed: 1,
    }).open();
    // As a worker holds them, and takes the gradient.
    const layout = createLayout(computation.parameters);
    const weights = layout.views(pageAlignedFloats(layout.floats));
    for (const [key, values] of Object.entries(await computation.initialize(1)))
      weights[key]!.set(values);
    const batch = batchOf(shape, size);
    const random = createRandom('micro-batch');
    const gradient = layout.views(pageAlignedFloats(layout.floats));
    const known: TakeKnown = (parameter, values) => {
      if (values instanceof Float32Array) gradient[parameter]!.set(values);
      else values.copyTo(gradient[parameter]!, 0);
    };
    const microBatch = { batch, epoch: 0, step: 0, shard: 0, random };
    return () => computation.gradient(weights, microBatch, known);
  },
  async plain(name, size) {
    const { shape, stack } = MODELS[name];
    const model = classifier(stack(), false);
    const batch = batchOf(shape, size);
    const x = tf.tensor(batch.x!.data as Float32Array, [...batch.x!.shape]);
    const y = tf.oneHot(tf.tensor1d(batch.y!.data as Int32Array, 'int32'), CLASSES);
    const loss = (): tf.Scalar =>
      tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor);
    return () => {
      const { value, grads } = tf.variableGrads(loss);
      const read = [value, ...Object.values(grads)].map((tensor) => tensor.dataSync());
      tf.dispose([value, grads]);
      return read;
    };
  },
};

const prepare = preparations[process.argv[2]!]!;
const prepared = new Map<string, Once>();
for await (const line of createInterface({ input: process.stdin })) {
  const { model, batch, iterations } = JSON.parse(line) as GradientTask;
  const key = `${model} ${batch}`;
  let once = prepared.get(key);
  if (once === undefined) {
    once = await prepare(model, batch);
    for (let i = 0; i < 3; i++) await once();
    prepared.set(key, once);
  }
  const before = process.cpuUsage();
  for (let i = 0; i < iterations; i++) await once();
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${(user + system) / 1000 / iterations}\n`);
}
