import { arrays } from '@tutti/data';
import { defineTraining, frozen, lora, tf } from '@tutti/tensorflow';

const floats = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));

/** A layer that is frozen, and one of which only an addition is trained. */
export default defineTraining({
  name: 'frozen',
  data: () => ({
    training: arrays({
      x: { data: floats(60), shape: [12, 5] },
      y: { data: floats(36), shape: [12, 3] },
    }),
  }),
  model: () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [5], units: 4, activation: 'tanh', name: 'features' }),
        tf.layers.dense({ units: 3, name: 'adapted' }),
      ],
    }),
  loss: 'meanSquaredError',
  sharing: [frozen('features/kernel'), lora('adapted/kernel', { rank: 1 })],
  optimizer: { name: 'sgd', learningRate: 0.1 },
  batchSize: 4,
  epochs: 1,
  seed: 1,
  shards: 2,
});
