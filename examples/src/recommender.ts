/**
 * A recommender of films: matrix factorisation by Bayesian personalised ranking (Rendle et al. 2009), whose two
 * embeddings, 168,000 weights, are products of rank 5 and store less than a tenth as many values. The rows that a
 * batch asks for are looked up in these; the tables are never made. Needs python3 with pip the first time, for the
 * data. What that costs in recall, and what a hash does (ROBE): docs/PAPERS.md.
 *
 *     npm start -- examples/src/recommender.ts --workers 2
 */
import { type BatchTensors, defineTraining, lowRank, tf } from '@tutti/tensorflow';
import { ITEMS, interactions, movieLens, USERS } from './datasets/movie-lens.js';

const TOP = 10;

/** How one user's items are scored, user [n, 1], item [n, k] to [n, k]: by their product, and how popular each is. */
export function factorisation(dimension: number) {
  const user = tf.input({ name: 'user', shape: [1], dtype: 'int32' });
  const item = tf.input({ name: 'item', shape: [null], dtype: 'int32' });
  const embedding = (name: string, inputDim: number, outputDim: number, of: tf.SymbolicTensor) =>
    tf.layers
      .embedding({ name, inputDim, outputDim, embeddingsInitializer: 'glorotNormal' })
      .apply(of) as tf.SymbolicTensor;
  const users = embedding('users', USERS, dimension, user);
  const items = embedding('items', ITEMS, dimension, item);
  const products = tf.layers.dot({ axes: 2 }).apply([items, users]) as tf.SymbolicTensor;
  const popularity = embedding('popularity', ITEMS, 1, item);
  const sums = tf.layers.add().apply([products, popularity]);
  const scores = tf.layers.reshape({ targetShape: [-1] }).apply(sums) as tf.SymbolicTensor;
  return tf.model({ inputs: [user, item], outputs: scores });
}

/** Draws for each item that was chosen one that was probably not, anew at each step. */
function augment({ item, ...others }: BatchTensors, random: { below(limit: number): number }) {
  const drawn = Int32Array.from({ length: item!.shape[0]! }, () => random.below(ITEMS));
  const chosen = item!.slice([0, 0], [-1, 1]);
  return {
    ...others,
    item: tf.concat([chosen, tf.tensor2d(drawn, [drawn.length, 1], 'int32')], 1),
  };
}

/** -log sigmoid of how far the items that are wanted (1) score above the others (0), in the mean. */
function loss(y: tf.Tensor, scores: tf.Tensor) {
  const mean = (which: number) => {
    const chosen = y.equal(which).cast('float32');
    return scores.mul(chosen).sum(1).div(chosen.sum(1));
  };
  return mean(0).sub(mean(1)).softplus();
}

/** 1 at each of the ten places where an item that is wanted was put; known ones (-1) are left out. */
function hits(y: tf.Tensor, scores: tf.Tensor) {
  const candidates = scores.sub(y.less(0).cast('float32').mul(1e9));
  const { indices } = tf.topk(candidates, Math.min(TOP, scores.shape[1]!));
  return tf.gather(y.equal(1).cast('float32'), indices, 1, 1);
}

/** The share of what is wanted that is among the first ten. */
function recall(y: tf.Tensor, scores: tf.Tensor) {
  return hits(y, scores).sum(1).div(y.equal(1).cast('float32').sum(1));
}

/** The same with a discount for later places, over the best that could be. */
function ndcg(y: tf.Tensor, scores: tf.Tensor) {
  const discounts = Array.from({ length: TOP }, (_, place) => 1 / Math.log2(place + 2));
  const best = discounts.map((_, at) => discounts.slice(0, at + 1).reduce((sum, d) => sum + d));
  const wanted = y.equal(1).cast('int32').sum(1).minimum(tf.scalar(TOP, 'int32'));
  const found = hits(y, scores);
  return found
    .mul(tf.tensor1d(discounts.slice(0, found.shape[1])))
    .sum(1)
    .div(tf.tensor1d([1, ...best]).gather(wanted.cast('int32')));
}

export default defineTraining({
  name: 'recommender',
  data: async () => interactions(await movieLens(), { items: ITEMS, seed: 1, part: 'test' }),
  model: () => factorisation(64),
  augment,
  loss,
  metrics: [recall, ndcg],

  // Leave this out for embeddings of their own, or share them by a hash, as is done with tables of millions of rows
  // of which most are seldom read: hashed('*s/embeddings', { ratio: 1 / 10, block: 16 }).
  sharing: [lowRank(['users/embeddings', 'items/embeddings'], { rank: 5 })],

  optimizer: { name: 'adam', learningRate: 0.003 },
  batchSize: 2048,
  epochs: 20,
  seed: 1,
  shards: 2,
  evaluationBatchSize: 64,
  graph: true,
});
