import assert from 'node:assert/strict';
import { closest } from './closest.js';
import { checkKeys } from './known-keys.js';

describe('names', () => {
  it('are suggested over case, punctuation, swaps and typing errors, not over unlikeness', () => {
    const known = ['--batch-size', '--learning-rate', '--seed'];
    for (const word of ['--batchSize', 'batch_size', '--bacth-size', '--batch-sizes']) {
      assert.equal(closest(word, known), '--batch-size');
    }
    assert.equal(closest('--dropout', known), undefined);
  });
});

describe('keys', () => {
  const known = { batchSize: true, seed: true } as const;

  it('that are known may be there or not', () => {
    checkKeys('make', {}, known);
    checkKeys('make', { seed: undefined }, known);
    checkKeys('make', { batchSize: 3, seed: 4 }, known);
  });

  it('that nobody reads are refused, with the one that was probably meant', () => {
    assert.throws(() => checkKeys('make', { batchsize: 3 } as object, known), {
      code: 'BAD_PROGRAM',
      message: 'make takes no "batchsize"',
      remedy: 'Did you mean batchSize? Known are: batchSize, seed.',
    });
    assert.throws(() => checkKeys('make', { dropout: 3 } as object, known), {
      remedy: 'Remove it. Known are: batchSize, seed.',
    });
  });

  it('are wanted in an object', () => {
    for (const given of [undefined, null, 'x.npy', 4])
      assert.throws(() => checkKeys('make', given as unknown as object, known), {
        code: 'BAD_PROGRAM',
        message: `make takes an object, not ${JSON.stringify(given)}`,
      });
  });
});
