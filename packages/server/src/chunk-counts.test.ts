import assert from 'node:assert/strict';
import { createChunkCounts } from './chunk-counts.js';

describe('counts of chunks', () => {
  it('tell the last one of each of two steps that are under way', () => {
    const counts = createChunkCounts(2);
    assert.deepEqual(
      [4, 5, 5, 4, 6].map((step) => counts.add(step)),
      [false, false, true, true, false],
    );
    assert.equal(counts.size(), 1);
  });

  it('keep nothing of steps that are over, though not all of them was counted', () => {
    const counts = createChunkCounts(2);
    for (let step = 0; step < 1000; step++) {
      assert.equal(counts.add(step), false);
      assert.ok(counts.size() <= 2);
    }
  });
});
