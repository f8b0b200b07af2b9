import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import { tf } from '@tutti/tensorflow';
import { ITEMS, interactions, USERS } from './datasets/movie-lens.js';
import recommender from './recommender.js';

// Each user likes items of one kind; the data of MovieLens would have to be fetched.
const random = createRandom('ratings');
const ratings = Array.from({ length: 40 }, (_, user) =>
  [...new Set(Array.from({ length: 30 }, () => 2 * random.below(60) + (user % 2)))].map((item) => ({
    user,
    item,
  })),
).flat();

describe('the example recommender', () => {
  it('stores less than a tenth of its embeddings, and learns what users like', async () => {
    const computation = await recommender.open();
    const { training, evaluation } = interactions(ratings, { items: ITEMS, seed: 1, part: 'test' });
    const weights = { ...(await computation.initialize(1)) };
    const stored = Object.values(weights).reduce((sum, { length }) => sum + length, 0);
    const [users, items] = [5 * (USERS + 64), 5 * (ITEMS + 64)];
    assert.equal(stored, users + items + ITEMS);
    assert.ok(stored < 6.4 * (USERS + ITEMS));

    const batch = await training.read(Array.from({ length: 512 }, (_, at) => at));
    const test = await evaluation.read(Array.from({ length: 8 }, (_, at) => at));
    const before = await computation.evaluate(weights, test);
    for (let step = 0; step < 30; step++) {
      const at = { batch, epoch: 0, step, shard: 0, random: createRandom('step', step) };
      const { gradient, count } = await computation.gradient(weights, at);
      for (const [name, values] of Object.entries(gradient))
        weights[name] = weights[name]!.map((value, i) => value - (20 * values[i]!) / count);
    }
    const after = await computation.evaluate(weights, test);
    assert.ok(after.lossSum < before.lossSum / 2, `${before.lossSum}, then ${after.lossSum}`);
    assert.ok(after.metrics!.recall! > before.metrics!.recall!);
    await computation.close?.();
  });

  it('measures recall and NDCG of the first ten that are not known', () => {
    // Ranked: known 0; wanted 1 and 3 in places 1 and 3; wanted 19 in the last.
    const y = tf.tensor2d([[-1, 1, 0, 1, ...new Array(15).fill(0), 1]], [1, 20], 'int32');
    const scores = tf.tensor2d([Array.from({ length: 20 }, (_, at) => -at)]);
    const { metrics } = recommender.training;
    const [recall, ndcg] = (metrics as readonly unknown[]).map(
      (metric) => (metric as (y: tf.Tensor, s: tf.Tensor) => tf.Tensor)(y, scores).dataSync()[0]!,
    );
    const discount = (place: number) => 1 / Math.log2(place + 1);
    assert.ok(Math.abs(recall! - 2 / 3) < 1e-6);
    const best = discount(1) + discount(2) + discount(3);
    assert.ok(Math.abs(ndcg! - (discount(1) + discount(3)) / best) < 1e-6);
  });
});
