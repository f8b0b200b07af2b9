/**
 * HashedNets (Chen et al. 2015): 784-1000-10 whose weights read one in `RATIO` stored values, on all of MNIST.
 * `RATIO=1 HIDDEN=126` is the dense net of the same stored size.
 *
 *     RATIO=64 npx tutti train examples/papers/hashed-nets.ts --workers 0
 */
import { defineTraining, hashed, tf } from '@tutti/tensorflow';
import { digits, stepsOf } from './digits.js';
import { setting } from './settings.js';

const ratio = setting('RATIO', 8);
const units = setting('HIDDEN', 1000);
const dropout = setting('DROPOUT', 0);
const epochs = setting('EPOCHS', 15);
const batchSize = setting('BATCH', 128);

export default defineTraining({
  name: `hashed-nets-${ratio}-${units}`,
  data: digits,
  model: () =>
    tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [28, 28, 1] }),
        tf.layers.dropout({ rate: dropout / 2 }),
        tf.layers.dense({
          units,
          activation: 'relu',
          kernelInitializer: 'heNormal',
          name: 'hidden',
        }),
        tf.layers.dropout({ rate: dropout }),
        tf.layers.dense({ units: 10, activation: 'softmax', name: 'output' }),
      ],
    }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
  sharing: ratio === 1 ? [] : [hashed('*/kernel', { ratio: 1 / ratio })],
  optimizer: {
    name: 'adam',
    learningRate: setting('LEARNING_RATE', 0.002),
    schedule: { kind: 'cosine', steps: stepsOf(epochs, batchSize) },
  },
  batchSize,
  epochs,
  seed: 1,
  // One micro-batch a step: a single process has nobody to divide it with.
  shards: 1,
});
