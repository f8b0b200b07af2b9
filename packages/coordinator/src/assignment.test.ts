import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assignShards } from './assignment.js';

describe('assignment', () => {
  it('gives every shard exactly one owner, neighbours together, evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), (shards, n) => {
        const workers = Array.from({ length: n }, (_, at) => `w${at}`);
        const shares = [...assignShards(shards, workers).values()];
        assert.deepEqual(shares.flat(), [...new Array(shards).keys()]);
        const sizes = shares.map(({ length }) => length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      }),
    );
  });
});
