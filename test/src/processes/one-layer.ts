/** A program that anybody could have written: it imports what is installed, and trains at once. */
export const ONE_LAYER = `
import { arrays } from '@tutti/data';
import { defineTraining, tf } from '@tutti/tensorflow';

const data = Float32Array.from({ length: 64 }, (_, at) => Math.sin(at));
const training = arrays({
  x: { data, shape: [16, 4] },
  y: { data: data.slice(0, 16), shape: [16] },
});

export default defineTraining({
  data: () => ({ training }),
  model: () => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] }),
  loss: 'meanSquaredError',
  optimizer: { name: 'adam', learningRate: 0.01 },
  batchSize: 8,
  epochs: 2,
  shards: 2,
  seed: 1,
});
`;
