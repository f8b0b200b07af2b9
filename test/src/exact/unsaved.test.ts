import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import { digestOf } from '@tutti/run';
import { TuttiError } from '@tutti/runtime';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

describe('a run whose model nothing can take', () => {
  it('ends as failed, with its numbers; the weights are in its result all the same', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    const full = new TuttiError('STORAGE', 'No file can be opened', { remedy: 'ulimit -n' });
    const checkpoints = { write: () => Promise.reject(full) };
    const { result, events } = await simulate({ program, workers: 2, seed: 1, checkpoints });
    assert.equal(result.modelPath, null);
    assert.equal(result.unsaved, full);
    assert.equal(digestOf(result.parameters), expected.digest);
    const last = events.at(-1);
    assert.ok(last?.event === 'failed');
    assert.equal(last.code, 'STORAGE');
    assert.match(last.message, /its model is lost: No file can be opened/);
    assert.equal(last.details.digest, expected.digest);
    assert.ok(events.every(({ event }) => event !== 'finished'));
  });
});
