import assert from 'node:assert/strict';
import { readModel } from '@tutti/edge';
import { sharing as computing } from '@tutti/edge/sharing';
import { createRandom } from '@tutti/runtime';
import {
  basis,
  circulant,
  codebook,
  edgeModel,
  hankel,
  hashed,
  kronecker,
  lora,
  lowRank,
  pruned,
  rotated,
  type SharingRule,
  shared,
  skewSymmetric,
  symmetric,
  tf,
  tie,
  toeplitz,
  trainedWeights,
  vera,
} from '@tutti/tensorflow';
import { createFolder, type Folder } from '../processes/program-files.js';
import { predictedElsewhere } from './predicted-elsewhere.js';
import { untrained } from './untrained.js';

const { layers } = tf;

/** What the file has words for, in models that people build. */
const MODELS: Record<
  string,
  {
    readonly model: () => tf.LayersModel;
    readonly words?: number;
    readonly sharing?: SharingRule[];
    /** The most bytes of a file that the stored values do not take. */
    readonly besides?: number;
    /** Whether `@tutti/edge/sharing` reads it only. */
    readonly isComputed?: true;
  }
> = {
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
    // The tower is three times in the file, its weights once.
    besides: 250,
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
  'hashed convolutions and dense layers': {
    // Of 3,029 values.
    besides: 200,
    sharing: [
      hashed('first/kernel', { stored: 30 }),
      hashed('second/*', { ratio: 1 / 8, sign: false }),
      hashed('depthwise/depthwise_kernel', { ratio: 1 / 4 }),
      hashed('hidden/kernel', { ratio: 1 / 16, block: 5 }),
      hashed('output/kernel', { ratio: 1 / 2, seed: 7 }),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.conv2d({ inputShape: [12, 12, 2], filters: 6, kernelSize: 3, name: 'first' }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, name: 'second' }),
          layers.depthwiseConv2d({ kernelSize: 2, name: 'depthwise' }),
          layers.flatten(),
          layers.dense({ units: 32, activation: 'tanh', name: 'hidden' }),
          layers.dense({ units: 3, activation: 'softmax', name: 'output' }),
        ],
      }),
  },
  'hashed words, looked up, and a hashed recurrent layer': {
    words: 5000,
    // Of 25,513 values.
    besides: 100,
    sharing: [
      hashed('table/embeddings', { stored: 1000, block: 5 }),
      hashed('recurrent/*kernel', { ratio: 1 / 4 }),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.embedding({ inputShape: [7], inputDim: 5000, outputDim: 5, name: 'table' }),
          layers.gru({ units: 10, name: 'recurrent' }),
          layers.dense({ units: 3 }),
        ],
      }),
  },
  'a hashed autoencoder, whose second kernel is the transpose of the first': {
    // Of 480 elements each, both of which one part of the file makes.
    besides: 100,
    sharing: [
      hashed('encoder/kernel', { stored: 100 }),
      tie('encoder/kernel', 'decoder/kernel', { transpose: true }),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.dense({ inputShape: [40], units: 12, activation: 'tanh', name: 'encoder' }),
          layers.dense({ units: 40, useBias: false, name: 'decoder' }),
        ],
      }),
  },
  'convolutions and dense layers of low rank': {
    // Of 3,197 values. Batch normalisation is part of the layer before it.
    besides: 100,
    sharing: [
      lowRank('first/kernel', { rank: 3 }),
      lowRank('second/kernel', { rank: 4 }),
      lowRank('third/kernel', { rank: 3 }),
      lowRank('hidden/kernel', { rank: 3 }),
      // More values than there are elements: it stays one layer.
      lowRank('output/kernel', { rank: 3 }),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.conv2d({ inputShape: [12, 12, 2], filters: 6, kernelSize: 3, name: 'first' }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.conv2d({
            ...{ filters: 16, kernelSize: 3, strides: 2, padding: 'same', name: 'second' },
            activation: 'relu',
          }),
          layers.reshape({ targetShape: [25, 16] }),
          layers.conv1d({ filters: 8, kernelSize: 1, name: 'third' }),
          layers.flatten(),
          layers.dense({ units: 10, activation: 'tanh', name: 'hidden' }),
          layers.dense({ units: 3, activation: 'softmax', name: 'output' }),
        ],
      }),
  },
  'words of low rank, masked, and recurrent kernels of low rank': {
    words: 500,
    // Of 7,363 values.
    besides: 150,
    sharing: [
      lowRank('table/embeddings', { rank: 2 }),
      lowRank('recurrent/kernel', { rank: 3 }),
      lowRank('both/**/kernel', { rank: 2 }),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.embedding({
            ...{ inputShape: [7], inputDim: 500, outputDim: 12, maskZero: true, name: 'table' },
          }),
          layers.gru({ units: 10, returnSequences: true, name: 'recurrent' }),
          layers.bidirectional({
            layer: layers.lstm({ units: 5, returnSequences: true }),
            mergeMode: 'concat',
            name: 'both',
          } as Parameters<typeof layers.bidirectional>[0]),
          layers.timeDistributed({ layer: layers.dense({ units: 3 }), name: 'output' }),
        ],
      }),
  },
  'an autoencoder of low rank, whose second kernel is the transpose of the first': {
    besides: 140,
    sharing: [
      lowRank('encoder/kernel', { rank: 3 }),
      tie('encoder/kernel', 'decoder/kernel', { transpose: true }),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.dense({ inputShape: [40], units: 24, activation: 'tanh', name: 'encoder' }),
          layers.dense({ units: 40, useBias: false, name: 'decoder' }),
        ],
      }),
  },
  'words that are looked up and compared with, as one table': {
    words: 200,
    besides: 100,
    sharing: [tie('table/embeddings', 'output/kernel', { transpose: true })],
    model: () =>
      tf.sequential({
        layers: [
          layers.embedding({ inputShape: [5], inputDim: 200, outputDim: 6, name: 'table' }),
          layers.gru({ units: 6 }),
          layers.dense({ units: 200, activation: 'softmax', name: 'output' }),
        ],
      }),
  },
  'words that are runs of vectors of a codebook': {
    words: 300,
    isComputed: true,
    // 600 numbers of 3 bits.
    besides: 225 + 150,
    sharing: [codebook('table/embeddings', { values: 8, dimension: 4 })],
    model: () =>
      tf.sequential({
        layers: [
          layers.embedding({ inputShape: [5], inputDim: 300, outputDim: 8, name: 'table' }),
          layers.flatten(),
          layers.dense({ units: 3 }),
        ],
      }),
  },
  'blocks of layers that are one': {
    besides: 250,
    sharing: [tie('block_*/**')],
    model: () =>
      tf.sequential({
        layers: [
          layers.dense({ inputShape: [12], units: 12, activation: 'tanh', name: 'block_0' }),
          ...[1, 2, 3].map((at) =>
            layers.dense({ units: 12, activation: 'tanh', name: `block_${at}` }),
          ),
          layers.dense({ units: 3 }),
        ],
      }),
  },
  'dense layers and gates of one basis': {
    besides: 250,
    sharing: [basis(['first/kernel', 'second/kernel', 'gates/kernel'], { rank: 3 })],
    model: () =>
      tf.sequential({
        layers: [
          layers.dense({ inputShape: [7, 16], units: 16, activation: 'relu', name: 'first' }),
          layers.dense({ units: 16, name: 'second' }),
          layers.batchNormalization(),
          layers.lstm({ units: 6, name: 'gates' }),
          layers.dense({ units: 3 }),
        ],
      }),
  },
  'convolutions that are rotated, Kronecker and symmetric': {
    isComputed: true,
    besides: 1500,
    sharing: [
      rotated('first/*', { group: 'p4', input: 'plane' }),
      rotated('second/*', { group: 'p4', input: 'group' }),
      kronecker('third/kernel', { left: [8, 2] }),
      symmetric('square/kernel'),
      toeplitz('output/kernel'),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.conv2d({ inputShape: [10, 10, 1], filters: 16, kernelSize: 3, name: 'first' }),
          layers.reLU(),
          layers.conv2d({ filters: 16, kernelSize: 3, strides: 2, name: 'second' }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.conv2d({ filters: 16, kernelSize: 2, activation: 'elu', name: 'third' }),
          layers.flatten(),
          layers.dense({ units: 64, activation: 'tanh', name: 'square' }),
          layers.dense({ units: 4, activation: 'softmax', name: 'output' }),
        ],
      }),
  },
  'recurrent kernels of every other kind': {
    isComputed: true,
    besides: 700,
    sharing: [
      circulant('gates/kernel', { block: 6 }),
      hankel('gates/recurrent_kernel'),
      skewSymmetric('square/kernel'),
      codebook('vectors/kernel', { values: 8, dimension: 4 }),
      shared('output/kernel', (row, column) => (3 * row + column) % 50),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.gru({ inputShape: [5, 12], units: 12, name: 'gates' }),
          layers.dense({ units: 12, activation: 'tanh', name: 'square' }),
          layers.dense({ units: 24, activation: 'tanh', name: 'vectors' }),
          layers.dense({ units: 20, name: 'output' }),
        ],
      }),
  },
  'weights of which all elements take fewer bytes': {
    // W0 of 144 elements each, and 12 kept of 144.
    besides: 4 * 288 + 4 * 40 + 250,
    sharing: [
      lora('first/kernel', { rank: 2, alpha: 3 }),
      vera('second/kernel', { rank: 3 }),
      pruned('third/kernel', { stored: 12 }),
      codebook('fourth/kernel', { values: 8 }),
    ],
    model: () =>
      tf.sequential({
        layers: [
          layers.dense({ inputShape: [12], units: 12, activation: 'tanh', name: 'first' }),
          layers.dense({ units: 12, activation: 'tanh', name: 'second' }),
          layers.dense({ units: 12, activation: 'tanh', name: 'third' }),
          layers.dense({ units: 12, name: 'fourth' }),
        ],
      }),
  },
};

const EXAMPLES = 100;

describe('a .tutti file, read by a process without TensorFlow,', () => {
  let folder: Folder;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(() => folder.remove());

  for (const [name, { model, words, sharing = [], besides, isComputed = false }] of Object.entries(
    MODELS,
  ))
    it(`predicts what TensorFlow predicts: ${name}`, async function () {
      this.timeout(60_000);
      const program = untrained(model, sharing);
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
      const { bytes, needsSharing } = edgeModel(program, values);
      assert.equal(needsSharing, isComputed);
      const stored = Object.values(values).reduce((sum, each) => sum + each.length, 0);
      if (besides !== undefined)
        assert.ok(bytes.length < 4 * stored + besides, `${bytes.length} bytes`);
      const { input, output } = readModel(bytes, { sharing: computing });
      const size = input.reduce((a, b) => a * b, 1);
      const x = Float32Array.from({ length: EXAMPLES * size }, () =>
        words === undefined ? 2 * random.next() - 1 : random.below(words),
      );

      const built = model();
      // The program has them in the order of the layers, each once.
      const variables = [...new Set(built.layers.flatMap((layer) => layer.weights))];
      const whole = trainedWeights(program, values);
      assert.equal(variables.length, whole.length);
      for (const [at, variable] of variables.entries())
        variable.write(tf.tensor(whole[at]!.values, variable.shape as number[]));
      const predicted = built.predict(tf.tensor(x, [EXAMPLES, ...input])) as tf.Tensor;
      const expected = predicted.dataSync() as Float32Array;
      const found = await predictedElsewhere(folder.path, bytes, x, size, needsSharing);

      assert.deepEqual(predicted.shape, [EXAMPLES, ...output]);
      assert.equal(found.length, expected.length);
      const spread = Math.max(...expected) - Math.min(...expected);
      assert.ok(spread > 0.01, `the predictions differ by ${spread} only`);
      for (const [at, value] of expected.entries())
        assert.ok(Math.abs(found[at]! - value) <= 1e-5, `${at}: ${found[at]}, not ${value}`);
      computation.close?.();
    });
});
