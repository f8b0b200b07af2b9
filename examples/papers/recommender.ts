/**
 * The recommender of `examples/src`, beside RecBole's BPR on MovieLens 100k, with embeddings of `DIMENSION` columns
 * that are unshared, or store one in `RATIO` values by a hash of blocks (ROBE: Desai et al. 2022), or are products
 * of rank `RANK`.
 *
 *     RATIO=11.1 npx tutti train examples/papers/recommender.ts --workers 0
 */
import { defineTraining, hashed, lowRank } from '@tutti/tensorflow';
import { ITEMS, interactions, movieLens } from '../src/datasets/movie-lens.js';
import recommender, { factorisation } from '../src/recommender.js';
import { setting } from './settings.js';

const [ratio, rank, dimension] = [
  setting('RATIO', 1),
  setting('RANK', 0),
  setting('DIMENSION', 64),
];
const part = setting('VALIDATION', 0) === 0 ? 'test' : 'validation';
const tables = ['users/embeddings', 'items/embeddings'];

export default defineTraining({
  ...recommender.training,
  name: `recommender-${ratio}-${rank}-${dimension}`,
  data: async () => interactions(await movieLens(), { items: ITEMS, seed: 1, part }),
  model: () => factorisation(dimension),
  sharing: [
    ...(ratio === 1 ? [] : [hashed(tables, { ratio: 1 / ratio, block: setting('BLOCK', 16) })]),
    ...(rank === 0 ? [] : [lowRank(tables, { rank })]),
  ],
  optimizer: { name: 'adam', learningRate: setting('LEARNING_RATE', 0.003) },
  epochs: setting('EPOCHS', 20),
});
