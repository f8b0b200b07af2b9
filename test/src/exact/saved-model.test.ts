import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arrays } from '@tutti/data';
import { runLocal } from '@tutti/launch';
import { digestOf } from '@tutti/run';
import { defineTraining, exportLayersModel, tf } from '@tutti/tensorflow';

const x = { data: Float32Array.from({ length: 36 }, (_, i) => Math.sin(i)), shape: [12, 3] };
const y = { data: Int32Array.from({ length: 12 }, (_, i) => i % 2), shape: [12] };

/** Layers without names: tfjs counts them differently in each model of a process. */
const model = () =>
  tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units: 4, activation: 'tanh' }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });

const program = defineTraining({
  data: () => ({ training: arrays({ x, y }), evaluation: arrays({ x, y }) }),
  model,
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
  optimizer: { name: 'adam', learningRate: 0.01 },
  batchSize: 6,
  epochs: 1,
  seed: 1,
});

describe('a run that begins with a saved tf.LayersModel', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-saved-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** What a run that begins with the model says that it begins with. */
  async function beginning(): Promise<string | undefined> {
    let from: string | undefined;
    const run = runLocal(program, {
      workers: 0,
      from: folder,
      onEvent: (event) => {
        if (event.event === 'started') from = event.from?.digest;
      },
    });
    await run.result;
    return from;
  }

  it('has the weights that model.save wrote', async () => {
    model();
    const saved = model();
    await saved.save(`file://${folder}`);
    const weights = saved.getWeights().map((tensor) => [...tensor.dataSync()]);
    // tfjs lists those that are trained first; the program has them layer by layer.
    const computation = await program.open();
    const { parameters } = computation;
    const flat = new Float32Array(weights.flat().length);
    let at = 0;
    for (const { name } of parameters) {
      const order = ['dense_1/kernel', 'dense_1/bias', 'batch_normalization_1/gamma'];
      order.push('batch_normalization_1/beta', 'dense_2/kernel', 'dense_2/bias');
      order.push('batch_normalization_1/moving_mean', 'batch_normalization_1/moving_variance');
      const values = weights[order.indexOf(name)]!;
      flat.set(values, at);
      at += values.length;
    }
    await computation.close?.();
    assert.equal(await beginning(), digestOf(flat));
  });

  it('has the weights that were exported', async () => {
    const { values, digest } = await runLocal(program, { workers: 0 }).result;
    await exportLayersModel(program, values, folder);
    assert.equal(await beginning(), digest);
  });
});
