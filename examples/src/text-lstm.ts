/**
 * A recurrent network that tells praise from blame in short reviews, where "not" turns a word into
 * its opposite and what follows "but" outweighs what came before. The reviews are made up from a
 * small grammar (datasets/reviews.ts), so this example needs no download.
 *
 *     npm start -- examples/src/text-lstm.ts --workers 2
 */
import { defineTraining, tf } from '@tutti/tensorflow';
import { LENGTH, reviews, WORDS } from './datasets/reviews.js';

export default defineTraining({
  name: 'text-lstm',
  data: () => reviews({ training: 8_000, evaluation: 1_000, seed: 1 }),

  model: () =>
    tf.sequential({
      layers: [
        // Word 0 is padding, which the LSTM skips.
        tf.layers.embedding({
          inputShape: [LENGTH],
          inputDim: WORDS.length,
          outputDim: 16,
          maskZero: true,
        }),
        tf.layers.lstm({ units: 20 }),
        tf.layers.dense({ units: 1, activation: 'sigmoid' }),
      ],
    }),
  loss: 'binaryCrossentropy',
  metrics: ['accuracy'],

  optimizer: { name: 'adam', learningRate: 0.005, clipNorm: 1 },
  batchSize: 64,
  epochs: 2,
  seed: 1,
});
