import assert from 'node:assert/strict';
import { halved, inRound, parseKeep } from './densities.js';

const weights = [
  { name: 'conv2d_1/kernel', size: 288 },
  { name: 'lstm_1/kernel', size: 4_000 },
  { name: 'lstm_1/recurrent_kernel', size: 8_000 },
  { name: 'dense_1/kernel', size: 204_800 },
  { name: 'dense_2/kernel', size: 30 },
];

describe('keep', () => {
  it('names weights, or layers for all of their weights', () => {
    assert.deepEqual(parseKeep('dense_1=0.04, lstm_1=.5,conv2d_1/kernel=1', weights), {
      'dense_1/kernel': 0.04,
      'lstm_1/kernel': 0.5,
      'lstm_1/recurrent_kernel': 0.5,
      'conv2d_1/kernel': 1,
    });
  });

  it('refuses what is no share, and says what there is for what there is not', () => {
    for (const wrong of ['dense_1', 'dense_1=0', 'dense_1=1.5', 'dense_1=-1', '=0.5', ''])
      assert.throws(() => parseKeep(wrong, weights), { code: 'BAD_CONFIG' });
    assert.throws(() => parseKeep('dense_3=0.5', weights), {
      code: 'BAD_CONFIG',
      remedy: /Did you mean "dense_[12]"\? There are: conv2d_1\/kernel, /,
    });
    // "dense" is not a layer, though others begin so.
    assert.throws(() => parseKeep('dense=0.5', weights), { code: 'BAD_CONFIG' });
  });
});

describe('rounds', () => {
  it('go down by the same factor, to what was wanted', () => {
    const target = { a: 0.04, b: 1 };
    const rounds = [1, 2, 3, 4].map((round) => inRound(target, round, 4));
    assert.deepEqual(
      rounds.map(({ b }) => b),
      [1, 1, 1, 1],
    );
    assert.equal(rounds[3]!.a, 0.04);
    for (const [at, { a }] of rounds.entries())
      assert.ok(Math.abs(a! - 0.04 ** ((at + 1) / 4)) < 1e-12);
  });

  it('of a search halve the largest weight, and leave the smallest alone', () => {
    const twice = halved(halved({}, weights), weights);
    assert.equal(twice['dense_1/kernel'], 0.25);
    assert.equal(twice['dense_2/kernel'], 1);
    const [conv, lstm] = [twice['conv2d_1/kernel']!, twice['lstm_1/kernel']!];
    assert.ok(conv < 1 && lstm < conv && lstm > 0.25);
  });
});
