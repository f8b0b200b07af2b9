import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createFreeShards } from './free-shards.js';

describe('free shards', () => {
  it('are found nearest first, as by looking at each', () => {
    const run = fc.integer({ min: 1, max: 40 }).chain((shards) =>
      fc.record({
        shards: fc.constant(shards),
        taken: fc.array(fc.nat(shards - 1)),
        to: fc.array(fc.nat(shards - 1), { maxLength: 4 }),
      }),
    );
    fc.assert(
      fc.property(run, ({ shards, taken, to }) => {
        const free = createFreeShards(shards);
        const left = new Set(Array.from({ length: shards }, (_, shard) => shard));
        for (const shard of taken) {
          assert.equal(free.has(shard), left.has(shard));
          if (left.delete(shard)) free.take(shard);
          const ranked = [...left]
            .map((each) => ({ each, distance: Math.min(...to.map((at) => Math.abs(at - each))) }))
            .sort(
              (a, b) =>
                (a.distance === b.distance ? 0 : a.distance - b.distance) || a.each - b.each,
            );
          assert.equal(free.nearest(to), ranked[0]?.each);
        }
      }),
    );
  });
});
