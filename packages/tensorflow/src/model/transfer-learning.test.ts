import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Computation, ParameterValues } from '@tutti/worker';
import { exportLayersModel } from '../export/export-layers-model.js';
import { classified, gradient, training } from '../testing.js';
import { tf } from '../tf.js';
import type { LayersModelFactory } from './build-model.js';

const batch = classified(16, [5], 3);

/** Trains with plain gradient descent. */
async function trained(computation: Computation, steps: number) {
  let weights = await computation.initialize(1);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { gradient: sums, lossSum, count } = await gradient(computation, weights, batch);
    losses.push(lossSum / count);
    weights = Object.fromEntries(
      Object.entries(weights).map(([name, values]) => [
        name,
        values.map((value, i) => value - (0.5 * sums[name]![i]!) / count),
      ]),
    );
  }
  return { weights, losses };
}

describe('a model that has layers of a loaded one', () => {
  let directory: string;
  let base: tf.LayersModel;
  let before: Float32Array[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tutti-transfer-'));
    const original = tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [5], units: 8, activation: 'tanh', name: 'features' }),
        tf.layers.dropout({ rate: 0.2 }),
        tf.layers.dense({ units: 7, name: 'old_head' }),
      ],
    });
    await original.save(`file://${directory}/base`);
    base = await tf.loadLayersModel(`file://${directory}/base/model.json`);
    before = base.getWeights().map((weight) => weight.dataSync() as Float32Array);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const withNewHead: LayersModelFactory = () => {
    const head = tf.layers.dense({ units: 3, activation: 'softmax', name: 'head' });
    const features = base.layers[1]!.output as tf.SymbolicTensor;
    return tf.model({ inputs: base.inputs, outputs: head.apply(features) as tf.SymbolicTensor });
  };

  async function exportedPredictions(model: LayersModelFactory, weights: ParameterValues) {
    const program = training({ model, loss: 'sparseCategoricalCrossentropy' });
    const path = await exportLayersModel(program, weights, join(directory, 'trained'));
    const loaded = await tf.loadLayersModel(`file://${path}`);
    const x = tf.tensor(batch.x!.data, [16, 5]);
    return { loaded, predicted: loaded.predict(x) as tf.Tensor };
  }

  for (const frozen of [false, true])
    it(`trains, exports and loads${frozen ? ' with the loaded layers frozen' : ''}`, async () => {
      if (frozen) for (const layer of base.layers) layer.trainable = false;
      const program = training({ model: withNewHead, loss: 'sparseCategoricalCrossentropy' });
      const computation = await program.open();
      const initial = await computation.initialize(1);
      // Frozen ones are stored by nobody: every worker has them from the program.
      const loadedOnes = frozen ? [] : ['features/kernel', 'features/bias'];
      assert.deepEqual(Object.keys(initial), [...loadedOnes, 'head/kernel', 'head/bias']);
      if (!frozen) assert.deepEqual(initial['features/kernel'], before[0]);

      const { weights, losses } = await trained(computation, 20);
      assert.ok(losses.at(-1)! < 0.9 * losses[0]!, losses.join());
      const features = frozen ? before[0]! : weights['features/kernel']!;
      if (!frozen) assert.notDeepEqual(features, before[0]);

      // While the run is open, and after it.
      const { loaded, predicted } = await exportedPredictions(withNewHead, weights);
      const [kernel] = loaded.getLayer('features').getWeights();
      assert.deepEqual(kernel!.dataSync(), features);
      const labels = tf.oneHot(tf.tensor1d(batch.y!.data, 'int32'), 3);
      const expected = tf.metrics.categoricalCrossentropy(labels, predicted).sum().dataSync()[0]!;
      const { lossSum } = await computation.evaluate(weights, batch);
      assert.ok(Math.abs(lossSum - expected) < 1e-4, `${lossSum} and ${expected}`);
      await computation.close?.();
      await exportedPredictions(withNewHead, weights);

      const after = base.getWeights().map((weight) => weight.dataSync());
      assert.deepEqual(after, before);
    });

  it('can be opened again, and twice at a time, to the same bits', async () => {
    const program = training({ model: withNewHead, loss: 'sparseCategoricalCrossentropy' });
    const [one, two] = [await program.open(), await program.open()];
    const weights = await one!.initialize(3);
    const first = await gradient(one!, weights, batch);
    await one!.close?.();
    assert.deepEqual(await two!.initialize(3), weights);
    assert.deepEqual(await gradient(two!, weights, batch), first);
    await two!.close?.();
    const three = await program.open();
    assert.deepEqual(await gradient(three, weights, batch), first);
    await three.close?.();
  });

  it('may be the loaded one as it is', async () => {
    const model = () => base;
    const program = training({
      model,
      loss: { name: 'sparseCategoricalCrossentropy', fromLogits: true },
    });
    const computation = await program.open();
    const { weights, losses } = await trained(computation, 10);
    assert.ok(losses.at(-1)! < losses[0]!);
    const { loaded } = await exportedPredictions(model, weights);
    const [kernel] = loaded.getLayer('features').getWeights();
    assert.deepEqual(kernel!.dataSync(), weights['features/kernel']);
    await computation.close?.();
  });
});
