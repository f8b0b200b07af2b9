/**
 * Tied embeddings (Press and Wolf 2017): a language model whose output layer reads the embedding of its input,
 * transposed. `TIED=0` is the same model with both. The loss is the logarithm of the perplexity.
 *
 *     TIED=1 npx tutti train examples/papers/tied-embeddings.ts --workers 0
 */
import { defineTraining, tf, tie } from '@tutti/tensorflow';
import { CONTEXT, documentation, VOCABULARY } from './documentation.js';
import { setting } from './settings.js';

const tied = setting('TIED', 1) === 1;
const dimension = setting('DIMENSION', 64);
const rate = setting('DROPOUT', 0.2);

export default defineTraining({
  name: tied ? 'tied-embeddings' : 'untied-embeddings',
  data: documentation,
  model: () =>
    tf.sequential({
      layers: [
        tf.layers.embedding({
          name: 'input',
          inputShape: [CONTEXT],
          inputDim: VOCABULARY,
          outputDim: dimension,
          embeddingsInitializer: 'glorotNormal',
        }),
        tf.layers.flatten(),
        tf.layers.dropout({ rate }),
        tf.layers.dense({ name: 'hidden', units: dimension, activation: 'tanh' }),
        tf.layers.dropout({ rate }),
        tf.layers.dense({ name: 'output', units: VOCABULARY, activation: 'softmax' }),
      ],
    }),
  loss: 'sparseCategoricalCrossentropy',
  sharing: tied ? [tie('input/embeddings', 'output/kernel', { transpose: true })] : [],
  optimizer: {
    name: 'adamw',
    learningRate: setting('LEARNING_RATE', 0.002),
    weightDecay: setting('WEIGHT_DECAY', 0),
  },
  batchSize: 256,
  epochs: setting('EPOCHS', 6),
  seed: 1,
  shards: 1,
});
