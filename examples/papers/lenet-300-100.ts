/**
 * LeNet-300-100, the dense network of Deep Compression (Han et al. 2016): 266,610 parameters, 1.64 % error in the
 * paper, for `tutti compress`.
 *
 *     export WEIGHT_DECAY=0.1
 *     EPOCHS=40 npx tutti train examples/papers/lenet-300-100.ts
 *     EPOCHS=12 DROPOUT=0.2 npx tutti compress examples/papers/lenet-300-100.ts --epochs 12 --rounds 3 \
 *       --learning-rate 0.0015 --keep hidden_1=0.088,hidden_2=0.12,output=0.5
 */
import { defineTraining, tf } from '@tutti/tensorflow';
import { digits, stepsOf } from './digits.js';
import { setting } from './settings.js';

const rate = setting('DROPOUT', 0.3);
const epochs = setting('EPOCHS', 14);
const batchSize = 128;
const dense = (name: string, units: number) =>
  tf.layers.dense({ name, units, activation: 'relu', kernelInitializer: 'heNormal' });

export default defineTraining({
  name: 'lenet-300-100',
  data: digits,
  model: () =>
    tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [28, 28, 1] }),
        dense('hidden_1', 300),
        tf.layers.dropout({ rate }),
        dense('hidden_2', 100),
        tf.layers.dropout({ rate }),
        tf.layers.dense({ name: 'output', units: 10, activation: 'softmax' }),
      ],
    }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
  optimizer: {
    name: 'adamw',
    learningRate: 0.0015,
    weightDecay: setting('WEIGHT_DECAY', 0),
    schedule: { kind: 'cosine', steps: stepsOf(epochs, batchSize) },
  },
  batchSize,
  epochs,
  seed: 1,
  shards: 2,
});
