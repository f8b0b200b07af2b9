/**
 * Group convolutions (Cohen and Welling 2016) on turned digits: filters in four orientations (p4), whose places
 * and orientations are pooled at the end. `P4=0 CHANNELS=32` is a plain net of the same stored size.
 *
 *     P4=1 npx tutti train examples/papers/group-convolutions.ts --workers 0
 */
import { defineTraining, rotated, tf } from '@tutti/tensorflow';
import { rotatedDigits, SIDE } from './rotated-digits.js';
import { setting } from './settings.js';

const orientations = setting('P4', 1) === 1 ? 4 : 1;
const channels = setting('CHANNELS', 16);
const epochs = setting('EPOCHS', 20);
const batchSize = 64;

const layer = (at: number) => [
  tf.layers.conv2d({
    name: `conv_${at}`,
    ...(at === 1 && { inputShape: [SIDE, SIDE, 1] }),
    filters: orientations * channels,
    kernelSize: 3,
    padding: 'same',
    useBias: false,
    kernelInitializer: 'heNormal',
  }),
  tf.layers.batchNormalization({ name: `norm_${at}` }),
  tf.layers.reLU(),
];

export default defineTraining({
  name: orientations === 4 ? 'p4-convolutions' : 'plain-convolutions',
  data: rotatedDigits,
  model: () =>
    tf.sequential({
      layers: [
        ...layer(1),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        ...layer(2),
        ...layer(3),
        tf.layers.globalMaxPooling2d({ dataFormat: 'channelsLast' }),
        tf.layers.reshape({ targetShape: [orientations, channels] }),
        tf.layers.globalMaxPooling1d(),
        tf.layers.dense({ units: 10, activation: 'softmax' }),
      ],
    }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
  sharing:
    orientations === 1
      ? []
      : [
          rotated('conv_1/kernel', { group: 'p4', input: 'plane' }),
          rotated(['conv_2/kernel', 'conv_3/kernel'], { group: 'p4', input: 'group' }),
          rotated(['norm_*/gamma', 'norm_*/beta'], { group: 'p4', input: 'group' }),
        ],
  optimizer: {
    name: 'adam',
    learningRate: setting('LEARNING_RATE', 0.004),
    schedule: { kind: 'cosine', steps: Math.ceil(12_000 / batchSize) * epochs },
  },
  batchSize,
  epochs,
  seed: 1,
  shards: 1,
});
