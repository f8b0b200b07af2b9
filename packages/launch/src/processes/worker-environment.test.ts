import assert from 'node:assert/strict';
import { workerEnvironment } from './worker-environment.js';

describe('the environment of a worker', () => {
  it('has one computing thread, unless somebody said otherwise', () => {
    assert.equal(workerEnvironment({}).TF_NUM_INTRAOP_THREADS, '1');
    assert.ok(!('TF_NUM_INTRAOP_THREADS' in workerEnvironment({ TF_NUM_INTRAOP_THREADS: '4' })));
  });
});
