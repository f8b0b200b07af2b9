import assert from 'node:assert/strict';
import { defaultShards } from './default-shards.js';

describe('defaultShards', () => {
  it('leaves micro-batches of 32 examples where there are enough of them', () => {
    const sizes = [1, 2, 31, 32, 63, 64, 128, 200, 256, 512, 1024, 1_000_000];
    assert.deepEqual(sizes.map(defaultShards), [1, 2, 2, 2, 2, 2, 4, 4, 8, 16, 16, 16]);
  });
});
