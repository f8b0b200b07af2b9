import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashed } from '@tutti/parameters';
import { edgeModel } from '../edge/edge-model.js';
import { kerasModel } from '../keras/keras-model.js';
import { classified, training } from '../testing.js';
import { tf } from '../tf.js';
import { exportLayersModel } from './export-layers-model.js';

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

  it('writes nested models and models with several inputs', async () => {
    const tower = () => tf.sequential({ layers: [tf.layers.dense({ inputShape: [3], units: 2 })] });
    const nested = training({
      model: () => {
        const [left, right] = [tf.input({ shape: [3] }), tf.input({ shape: [3], name: 'right' })];
        const joined = tf.layers
          .concatenate()
          .apply([
            tower().apply(left!) as tf.SymbolicTensor,
            tower().apply(right!) as tf.SymbolicTensor,
          ]);
        const outputs = tf.layers.dense({ units: 2 }).apply(joined) as tf.SymbolicTensor;
        return tf.model({ inputs: [left!, right!], outputs });
      },
      loss: (_yTrue, yPred) => yPred.sum(1),
    });
    const computation = await nested.open();
    const weights = await computation.initialize(5);
    const x = classified(4, [3], 2).x!;
    const { lossSum } = await computation.evaluate(weights, { input_1: x, right: x });

    const loaded = await tf.loadLayersModel(
      `file://${await exportLayersModel(nested, weights, directory)}`,
    );
    const input = tf.tensor(x.data, [4, 3]);
    const predicted = loaded.predict([input, input]) as tf.Tensor;
    const expected = predicted.sum().dataSync()[0]!;
    assert.ok(Math.abs(lossSum - expected) < 1e-5, `${lossSum} and ${expected}`);
  });

  it("names weights as Keras' converter looks them up: by layer", async () => {
    const weights = await (await program.open()).initialize(5);
    const path = await exportLayersModel(program, weights, directory);
    const { modelTopology, weightsManifest } = JSON.parse(await readFile(path, 'utf8'));
    const layers = modelTopology.model_config ?? modelTopology;
    const inner = 'bidirectional_1/forward_bidirectional_1_lstm';
    assert.deepEqual(
      weightsManifest[0].weights.map((spec: { name: string }) => spec.name).slice(0, 7),
      [
        'conv2d_1/kernel',
        'conv2d_1/bias',
        'batch_normalization_1/gamma',
        'batch_normalization_1/beta',
        `${inner}/kernel`,
        `${inner}/recurrent_kernel`,
        `${inner}/bias`,
      ],
    );
    assert.deepEqual(
      layers.config.layers.map((layer: { config: { name: string } }) => layer.config.name).at(3),
      'bidirectional_1',
    );
  });

  it('writes a model with several outputs, which a .tutti file cannot have', async () => {
    const two = training({
      model: () => {
        const input = tf.input({ shape: [3], name: 'x' });
        const outputs = ['left', 'right'].map(
          (name) => tf.layers.dense({ units: 2, name }).apply(input) as tf.SymbolicTensor,
        );
        return tf.model({ inputs: input, outputs });
      },
      loss: { left: 'meanSquaredError', right: 'meanAbsoluteError' },
    });
    const weights = await (await two.open()).initialize(1);
    const loaded = await tf.loadLayersModel(
      `file://${await exportLayersModel(two, weights, directory)}`,
    );
    const predicted = loaded.predict(tf.ones([1, 3])) as tf.Tensor[];
    ['left', 'right'].forEach((name, at) => {
      const kernel = weights[`${name}/kernel`]!;
      const expected = [0, 1].map(
        (column) => kernel[column]! + kernel[2 + column]! + kernel[4 + column]!,
      );
      const found = predicted[at]!.dataSync();
      for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - found[i]!) < 1e-5);
    });
    assert.throws(() => edgeModel(two, weights), /The model has 2 outputs/);
  });

  it('keeps no tensors', async () => {
    const weights = await (await program.open()).initialize(5);
    await exportLayersModel(program, weights, directory);
    const before = tf.memory().numTensors;
    await exportLayersModel(program, weights, directory);
    assert.equal(tf.memory().numTensors, before);
  });

  it('is loaded again before it is called done', async () => {
    const weights = async (model: () => tf.LayersModel) => {
      const written = training({ model, loss: (_yTrue, yPred) => yPred.sum(1) });
      return [written, await (await written.open()).initialize(1)] as const;
    };
    type Options = { factor?: number; inputShape?: number[] };
    class Scaled extends tf.layers.Layer {
      static className = 'Scaled';
      readonly factor: number;
      constructor({ factor = 1, ...options }: Options) {
        super(options);
        this.factor = factor;
      }
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return (Array.isArray(inputs) ? inputs[0]! : inputs).mul(this.factor);
      }
    }
    class Remembered extends Scaled {
      static override className = 'Remembered';
      override getConfig() {
        return { ...super.getConfig(), factor: this.factor };
      }
    }
    const model = (Own: typeof Scaled) => () =>
      tf.sequential({
        layers: [new Own({ factor: 3, inputShape: [3] }), tf.layers.dense({ units: 2 })],
      });
    const refused = {
      code: 'BAD_PROGRAM',
      message: /^The exported model cannot be loaded: Unknown layer: Scaled/,
      remedy: /registerClass.*safetensors/,
    };
    const [scaled, scaledWeights] = await weights(model(Scaled));
    await assert.rejects(exportLayersModel(scaled, scaledWeights, directory), refused);
    tf.serialization.registerClass(Scaled as never);
    await assert.rejects(exportLayersModel(scaled, scaledWeights, directory), {
      code: 'BAD_PROGRAM',
      message: /^The exported model, loaded again, predicts .* where the trained one predicts /,
    });
    assert.deepEqual(await readdir(directory), []);

    tf.serialization.registerClass(Remembered as never);
    const [kept, keptWeights] = await weights(model(Remembered));
    await exportLayersModel(kept, keptWeights, directory);
    assert.deepEqual(await readdir(directory), ['model.json', 'weights.bin']);
  });

  it('is refused where tfjs could load the model, and not compute it', async () => {
    const stacked = training({
      model: () => {
        const input = tf.input({ shape: [3, 2] });
        const encoder = tf.layers.gru({ units: 2, returnState: true });
        const [, state] = encoder.apply(input) as tf.SymbolicTensor[];
        const decoder = tf.layers.gru({ units: 2, returnSequences: true });
        const decoded = decoder.apply(input, { initialState: [state!] });
        const outputs = tf.layers.gru({ units: 2 }).apply(decoded) as tf.SymbolicTensor;
        return tf.model({ inputs: input, outputs });
      },
      loss: 'meanSquaredError',
    });
    const values = await (await stacked.open()).initialize(1);
    await assert.rejects(exportLayersModel(stacked, values, directory), {
      code: 'BAD_PROGRAM',
      message: /^tfjs loads the model and cannot compute it: after a layer with an initial state/,
      remedy: /^Export another --format: keras/,
    });
    await kerasModel(stacked, values);
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
