/**
 * The recommender of `examples/src`, with embeddings that store one in `RATIO` values in blocks (ROBE: Desai et al.
 * 2022), beside RecBole's BPR on MovieLens 100k: `RATIO=1` is that, `RATIO=1 DIMENSION=6` the small model that one
 * would train instead.
 *
 *     RATIO=10 npx tutti train examples/papers/recommender.ts --workers 0
 */
import { defineTraining, hashed } from '@tutti/tensorflow';
import { ITEMS, interactions, movieLens } from '../src/datasets/movie-lens.js';
import recommender, { factorisation } from '../src/recommender.js';
import { setting } from './settings.js';

const ratio = setting('RATIO', 10);
const dimension = setting('DIMENSION', 64);
const part = setting('VALIDATION', 0) === 0 ? 'test' : 'validation';

export default defineTraining({
  ...recommender.training,
  name: `recommender-${ratio}-${dimension}`,
  data: async () => interactions(await movieLens(), { items: ITEMS, seed: 1, part }),
  model: () => factorisation(dimension),
  sharing:
    ratio === 1
      ? []
      : [
          hashed(['users/embeddings', 'items/embeddings'], {
            ratio: 1 / ratio,
            block: setting('BLOCK', 16),
          }),
        ],
  optimizer: { name: 'adam', learningRate: setting('LEARNING_RATE', 0.002) },
  epochs: setting('EPOCHS', 60),
});
