import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readModel } from '@tutti/edge';
import { createRandom } from '@tutti/runtime';
import { defineTraining, edgeModel, tf } from '@tutti/tensorflow';
import { createFolder, type Folder, resolvePath } from '../processes/program-files.js';

const { layers } = tf;

/** What the file has words for, in models that people build. */
const MODELS: Record<string, { model: () => tf.LayersModel; words?: number }> = {
  'a convolutional network': {
    model: () =>
      tf.sequential({
        layers: [
          layers.conv2d({ inputShape: [13, 11, 2], filters: 5, kernelSize: 3, useBias: false }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.conv2d({ filters: 4, kernelSize: [3, 2], padding: 'same', strides: [2, 1] }),
          layers.batchNormalization({ scale: false }),
          layers.activation({ activation: 'elu' }),
          layers.dropout({ rate: 0.5 }),
          layers.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2, padding: 'same' }),
          layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
          layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
          layers.flatten(),
          layers.dense({ units: 8, activation: 'tanh' }),
          layers.dense({ units: 4, activation: 'softmax' }),
        ],
      }),
  },
  'a network of depthwise convolutions with a residual': {
    model: () => {
      const input = tf.input({ shape: [9, 9, 3] });
      const of = (layer: tf.layers.Layer, ...from: tf.SymbolicTensor[]) =>
        layer.apply(from.length === 1 ? from[0]! : from) as tf.SymbolicTensor;
      const padded = of(
        layers.zeroPadding2d({
          padding: [
            [0, 1],
            [1, 0],
          ],
        }),
        input,
      );
      const a = of(
        layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2 }),
        padded,
      );
      const normal = of(layers.batchNormalization(), a);
      const b = of(layers.activation({ activation: 'relu6' }), normal);
      const c = of(
        layers.separableConv2d({ filters: 6, kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
        b,
      );
      const d = of(layers.batchNormalization(), of(layers.leakyReLU({ alpha: 0.2 }), c));
      const sum = of(layers.add(), d, b);
      const both = of(layers.concatenate(), sum, of(layers.multiply(), a, d));
      const pooled = of(layers.globalAveragePooling2d({}), both);
      return tf.model({ inputs: input, outputs: of(layers.dense({ units: 3 }), pooled) });
    },
  },
  'convolutions over time': {
    model: () =>
      tf.sequential({
        layers: [
          layers.conv1d({
            inputShape: [20, 3],
            filters: 6,
            kernelSize: 3,
            dilationRate: 2,
            activation: 'swish',
          } as Parameters<typeof layers.conv1d>[0]),
          layers.averagePooling1d({ poolSize: 2 }),
          layers.conv1d({ filters: 5, kernelSize: 4, strides: 2, padding: 'same' }),
          layers.maxPooling1d({ poolSize: 2, padding: 'same', strides: 1 }),
          layers.globalMaxPooling1d({}),
          layers.dense({ units: 1, activation: 'sigmoid' }),
        ],
      }),
  },
  'recurrent layers over masked words': {
    words: 12,
    model: () =>
      tf.sequential({
        layers: [
          layers.embedding({ inputShape: [9], inputDim: 12, outputDim: 4, maskZero: true }),
          layers.lstm({ units: 5, returnSequences: true, recurrentActivation: 'sigmoid' }),
          layers.gru({ units: 4, returnSequences: true }),
          layers.timeDistributed({ layer: layers.dense({ units: 4, activation: 'softsign' }) }),
          layers.simpleRNN({ units: 3 }),
          layers.dense({ units: 2, activation: 'softmax' }),
        ],
      }),
  },
  'recurrent layers that read backwards': {
    model: () =>
      tf.sequential({
        layers: [
          layers.gru({ inputShape: [7, 3], units: 4, goBackwards: true, returnSequences: true }),
          layers.lstm({ units: 4, goBackwards: true, useBias: false, activation: 'relu' }),
          layers.reshape({ targetShape: [2, 2] }),
          layers.dense({ units: 3, activation: 'selu' }),
          layers.softmax({ axis: -1 }),
        ],
      }),
  },
  'recurrent layers in both directions, over masked words': {
    words: 12,
    model: () => {
      const both = (layer: tf.layers.Layer, mergeMode: string) =>
        layers.bidirectional({ layer, mergeMode } as Parameters<typeof layers.bidirectional>[0]);
      return tf.sequential({
        layers: [
          layers.embedding({ inputShape: [9], inputDim: 12, outputDim: 4, maskZero: true }),
          both(layers.lstm({ units: 3, returnSequences: true }), 'concat'),
          both(layers.gru({ units: 4, returnSequences: true }), 'ave'),
          both(layers.simpleRNN({ units: 4, returnSequences: true }), 'sum'),
          both(layers.lstm({ units: 4, returnSequences: true }), 'mul'),
          both(layers.lstm({ units: 3 }), 'concat'),
          layers.dense({ units: 2 }),
        ],
      });
    },
  },
  'a model within the model, applied twice': {
    model: () => {
      const of = (layer: tf.layers.Layer, ...from: tf.SymbolicTensor[]) =>
        layer.apply(from.length === 1 ? from[0]! : from) as tf.SymbolicTensor;
      const input = tf.input({ shape: [6] });
      const other = tf.input({ shape: [6] });
      const [a, b] = [tf.input({ shape: [6] }), tf.input({ shape: [6] })];
      const tower = tf.sequential({
        layers: [
          layers.dense({ units: 6, inputShape: [6], activation: 'tanh' }),
          tf.model({ inputs: other, outputs: of(layers.batchNormalization(), other) }),
        ],
      });
      const pair = tf.model({ inputs: [a, b], outputs: of(layers.add(), of(tower, a), b) });
      const once = of(tower, input);
      const outputs = of(layers.dense({ units: 3 }), of(pair, of(tower, once), input));
      return tf.model({ inputs: input, outputs });
    },
  },
  'every other activation': {
    model: () =>
      tf.sequential({
        layers: [
          layers.dense({ inputShape: [6], units: 9, activation: 'softplus' }),
          layers.dense({ units: 9, activation: 'hardSigmoid' }),
          layers.dense({ units: 9, activation: 'elu' }),
          layers.elu(),
          layers.reLU({ maxValue: 3 }),
          layers.dense({ units: 2, activation: 'linear' }),
        ],
      }),
  },
};

const EXAMPLES = 100;

/** A process that has @tutti/edge and nothing else of this repository. */
const PREDICT = `
  import { readFileSync, writeFileSync } from 'node:fs';
  const [edge, file, examples, size, output] = process.argv.slice(1);
  const { readModel } = await import(edge);
  const model = readModel(readFileSync(file));
  const x = new Float32Array(new Uint8Array(readFileSync(examples)).buffer);
  const all = [];
  for (let at = 0; at < x.length; at += Number(size))
    all.push(...model.predict(x.subarray(at, at + Number(size))));
  writeFileSync(output, new Uint8Array(Float32Array.from(all).buffer));
`;

async function predictedElsewhere(folder: string, file: Uint8Array, x: Float32Array, size: number) {
  const [model, examples, output] = ['model.tutti', 'x', 'y'].map((name) => join(folder, name));
  await writeFile(model!, file);
  await writeFile(examples!, new Uint8Array(x.buffer));
  const edge = resolvePath('@tutti/edge');
  const args = ['--input-type=module', '-e', PREDICT, edge, model!, examples!, `${size}`, output!];
  await promisify(execFile)(process.execPath, args, { env: {} });
  return new Float32Array(new Uint8Array(await readFile(output!)).buffer);
}

describe('a .tutti file, read by a process without TensorFlow,', () => {
  let folder: Folder;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(() => folder.remove());

  for (const [name, { model, words }] of Object.entries(MODELS))
    it(`predicts what TensorFlow predicts: ${name}`, async function () {
      this.timeout(60_000);
      const program = defineTraining({
        model,
        loss: 'meanSquaredError',
        data: () => {
          throw new Error('There are no data.');
        },
        optimizer: { name: 'sgd', learningRate: 0.1 },
        batchSize: 8,
        epochs: 1,
        seed: 1,
      });
      const computation = await program.open();
      const random = createRandom('weights', name);
      // Moments and biases are zeros and ones at the start, which would hide much.
      const values = Object.fromEntries(
        Object.entries(await computation.initialize(3)).map(([weight, first]) => [
          weight,
          first.map((value) =>
            weight.endsWith('moving_variance') ? 0.5 + random.next() : value + random.next() - 0.5,
          ),
        ]),
      );
      const { bytes } = edgeModel(program, values);
      const { input, output } = readModel(bytes);
      const size = input.reduce((a, b) => a * b, 1);
      const x = Float32Array.from({ length: EXAMPLES * size }, () =>
        words === undefined ? 2 * random.next() - 1 : random.below(words),
      );

      const built = model();
      // The program has them in the order of the layers, each once.
      const variables = [...new Set(built.layers.flatMap((layer) => layer.weights))];
      const stored = computation.parameters.map((parameter) => values[parameter.name]!);
      assert.equal(variables.length, stored.length);
      for (const [at, variable] of variables.entries())
        variable.write(tf.tensor(stored[at]!, variable.shape as number[]));
      const predicted = built.predict(tf.tensor(x, [EXAMPLES, ...input])) as tf.Tensor;
      const expected = predicted.dataSync() as Float32Array;
      const found = await predictedElsewhere(folder.path, bytes, x, size);

      assert.deepEqual(predicted.shape, [EXAMPLES, ...output]);
      assert.equal(found.length, expected.length);
      const spread = Math.max(...expected) - Math.min(...expected);
      assert.ok(spread > 0.01, `the predictions differ by ${spread} only`);
      for (const [at, value] of expected.entries())
        assert.ok(Math.abs(found[at]! - value) <= 1e-5, `${at}: ${found[at]}, not ${value}`);
      computation.close?.();
    });
});
