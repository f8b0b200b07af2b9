/**
 * A dense network for handwritten digits whose first layer, 200,704 weights, reads only 25,000
 * stored values: the others share them (HashedNets). Only the stored ones travel between processes.
 *
 *     npm start -- examples/src/mnist-dense.ts --workers 2
 */
import { defineTraining, hashed, tf } from '@tutti/tensorflow';
import { mnist } from './datasets/mnist.js';

export default defineTraining({
  name: 'mnist-dense',
  data: mnist,

  model: () =>
    tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [28, 28, 1] }),
        tf.layers.dense({ units: 256, activation: 'relu', name: 'hidden' }),
        tf.layers.dropout({ rate: 0.2 }),
        tf.layers.dense({ units: 10, activation: 'softmax', name: 'output' }),
      ],
    }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],

  // Leave this out for a network without sharing.
  sharing: [hashed('hidden/kernel', { stored: 25_000 })],

  optimizer: { name: 'adam', learningRate: 0.001 },
  batchSize: 128,
  epochs: 5,
  seed: 1,
});
