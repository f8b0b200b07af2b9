import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashed } from '@tutti/parameters';
import { exportLayersModel } from './export-layers-model.js';
import { classified, training } from './testing.js';
import { tf } from './tf.js';

const model = () =>
  tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [6, 6, 1], filters: 3, kernelSize: 3, activation: 'relu' }),
      tf.layers.batchNormalization(),
      tf.layers.reshape({ targetShape: [4, 12] }),
      tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 3, returnSequences: true }) }),
      tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 3 }) }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 4, activation: 'softmax', name: 'output' }),
    ],
  });

const program = training({
  model,
  loss: 'sparseCategoricalCrossentropy',
  sharing: [hashed('output/kernel', { stored: 10 })],
});

describe('exportLayersModel', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tutti-export-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('writes a model that tf.loadLayersModel reads and that predicts the same', async () => {
    const computation = await program.open();
    const weights = await computation.initialize(5);
    const modelPath = await exportLayersModel(program, weights, join(directory, 'model'));
    const loaded = await tf.loadLayersModel(`file://${modelPath}`);

    const batch = classified(7, [6, 6, 1], 4);
    const predicted = loaded.predict(tf.tensor(batch.x!.data, [7, 6, 6, 1])) as tf.Tensor;
    const labels = tf.oneHot(tf.tensor1d(batch.y!.data, 'int32'), 4);
    const expected = tf.metrics.categoricalCrossentropy(labels, predicted).sum().dataSync()[0]!;
    const { lossSum } = await computation.evaluate(weights, batch);
    assert.ok(Math.abs(lossSum - expected) < 1e-5, `${lossSum} and ${expected}`);
    assert.deepEqual(loaded.layers.map(({ name }) => name).slice(0, 2), [
      'conv2d_1',
      'batch_normalization_1',
    ]);
  });

  it('writes the same bytes whatever the process built before', async () => {
    const weights = await (await program.open()).initialize(5);
    const contents = async () => {
      await exportLayersModel(program, weights, directory);
      return [
        await readFile(join(directory, 'model.json'), 'utf8'),
        await readFile(join(directory, 'weights.bin'), 'hex'),
      ];
    };
    const first = await contents();
    model().dispose();
    assert.deepEqual(await contents(), first);
    assert.doesNotMatch(first[0]!, /_[A-Z]\w*\d/);
  });

  it('keeps no tensors', async () => {
    const weights = await (await program.open()).initialize(5);
    await exportLayersModel(program, weights, directory);
    const before = tf.memory().numTensors;
    await exportLayersModel(program, weights, directory);
    assert.equal(tf.memory().numTensors, before);
  });

  it('says where it could not write, and what it cannot export', async () => {
    const weights = await (await program.open()).initialize(5);
    const file = join(directory, 'file');
    await writeFile(file, '');
    await assert.rejects(exportLayersModel(program, weights, file), { code: 'STORAGE' });
    const { training: _none, ...plain } = program;
    await assert.rejects(exportLayersModel(plain, weights, directory), /has no tf.LayersModel/);
  });
});
