import { defineTraining, tf } from '@tutti/tensorflow';
import { digits } from './data.js';

export default defineTraining({
  name: 'digits',
  data: digits,

  model: () =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({
          inputShape: [28, 28, 1],
          filters: 16,
          kernelSize: 5,
          activation: 'relu',
        }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dropout({ rate: 0.2 }),
        tf.layers.dense({ units: 10, activation: 'softmax' }),
      ],
    }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],

  optimizer: { name: 'adam', learningRate: 0.001 },
  batchSize: 128,
  epochs: 3,
  seed: 1,
});
