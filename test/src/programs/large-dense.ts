import { arrays } from '@tutti/data';
import { defineTraining, tf } from '@tutti/tensorflow';

const EXAMPLES = 2048;
const INPUTS = 784;
const values = Float32Array.from(
  { length: EXAMPLES * INPUTS },
  (_, at) => ((at * 7919) % 997) / 997,
);
const classes = Int32Array.from({ length: EXAMPLES }, (_, at) => at % 10);

/** 25 million parameters that are computed fast: how much of its time a step is under way with them. */
export default defineTraining({
  name: 'large-dense',
  data: () => ({
    training: arrays({
      x: { data: values, shape: [EXAMPLES, INPUTS] },
      y: { data: classes, shape: [EXAMPLES] },
    }),
  }),
  model: () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [INPUTS], units: 4096, activation: 'relu' }),
        tf.layers.dense({ units: 5300, activation: 'relu' }),
        tf.layers.dense({ units: 10, activation: 'softmax' }),
      ],
    }),
  loss: 'sparseCategoricalCrossentropy',
  optimizer: { name: 'adam', learningRate: 0.0001 },
  batchSize: 512,
  epochs: 100,
  seed: 1,
});
