import assert from 'node:assert/strict';
import fc from 'fast-check';
import { maximalNodes, pathTo, split } from './tree.js';

describe('canonical tree', () => {
  it('splits at the largest power of two below the length', () => {
    for (let length = 2; length <= 200; length++) {
      let power = 1;
      while (power * 2 < length) power *= 2;
      assert.equal(split(7, 7 + length), 7 + power);
    }
  });

  it('covers any set of shards with the fewest nodes', () => {
    const sets = fc
      .integer({ min: 1, max: 200 })
      .chain((shards) =>
        fc.tuple(fc.constant(shards), fc.uniqueArray(fc.nat({ max: shards - 1 }))),
      );
    fc.assert(
      fc.property(sets, ([shards, owned]) => {
        const nodes = maximalNodes(owned, shards);
        const covered = nodes.flatMap(({ lo, hi }) =>
          Array.from({ length: hi - lo }, (_, i) => lo + i),
        );
        assert.deepEqual(
          covered,
          [...owned].sort((a, b) => a - b),
        );
        for (const { lo, hi } of nodes) {
          const path = pathTo(lo, hi, shards);
          assert.ok(path);
          // Maximal: the parent has a shard that is not owned.
          const parent = path[path.length - 2];
          if (parent === undefined) continue;
          const all = Array.from({ length: parent.hi - parent.lo }, (_, i) => parent.lo + i);
          assert.ok(all.some((shard) => !owned.includes(shard)));
        }
      }),
    );
  });

  it('knows which intervals are nodes', () => {
    assert.ok(pathTo(0, 4, 6));
    assert.ok(pathTo(4, 6, 6));
    assert.equal(pathTo(2, 6, 6), undefined);
    assert.equal(pathTo(0, 7, 6), undefined);
    assert.equal(pathTo(3, 3, 6), undefined);
  });
});
