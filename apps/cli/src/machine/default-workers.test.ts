import assert from 'node:assert/strict';
import { defaultWorkers } from './default-workers.js';

const GIB = 2 ** 30;

describe('defaultWorkers', () => {
  it('uses the cores, as far as memory and shards allow', () => {
    const workers = (cores: number, gib: number, shards: number) =>
      defaultWorkers({ cores, freeBytes: gib * GIB }, shards);
    assert.equal(workers(8, 16, 16), 8);
    assert.equal(workers(8, 16, 4), 4);
    assert.equal(workers(8, 3.5, 16), 3);
    assert.equal(workers(8, 0.2, 16), 1);
    assert.equal(workers(1, 16, 4), 1);
  });
});
