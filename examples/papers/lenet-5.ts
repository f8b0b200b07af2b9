/**
 * LeNet-5 as Deep Compression (Han et al. 2016) has it: 431,080 parameters, 0.8 % error in the paper, for
 * `tutti compress`.
 *
 *     npx tutti train examples/papers/lenet-5.ts
 *     DROPOUT=0.1 npx tutti compress examples/papers/lenet-5.ts --epochs 3 --rounds 3 \
 *       --keep conv_1=0.66,conv_2=0.12,hidden=0.08,output=0.19
 */
import { defineTraining, tf } from '@tutti/tensorflow';
import { digits, stepsOf } from './digits.js';
import { setting } from './settings.js';

const rate = setting('DROPOUT', 0.3);
const epochs = setting('EPOCHS', 8);
const batchSize = 128;
const convolution = (name: string, filters: number, inputShape?: number[]) =>
  tf.layers.conv2d({
    name,
    filters,
    kernelSize: 5,
    activation: 'relu',
    ...(inputShape && { inputShape }),
  });

export default defineTraining({
  name: 'lenet-5',
  data: digits,
  model: () =>
    tf.sequential({
      layers: [
        convolution('conv_1', 20, [28, 28, 1]),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        convolution('conv_2', 50),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dropout({ rate }),
        tf.layers.dense({ name: 'hidden', units: 500, activation: 'relu' }),
        tf.layers.dropout({ rate }),
        tf.layers.dense({ name: 'output', units: 10, activation: 'softmax' }),
      ],
    }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
  optimizer: {
    name: 'adam',
    learningRate: 0.001,
    schedule: { kind: 'cosine', steps: stepsOf(epochs, batchSize) },
  },
  batchSize,
  epochs,
  seed: 1,
  shards: 2,
});
