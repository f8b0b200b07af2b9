import assert from 'node:assert/strict';
import { type JobLayout, refuseContradictions } from './contradictions.js';

describe('what no job can have together', () => {
  it('is sums at the servers and checks', () => {
    assert.throws(() => refuseContradictions({ aggregation: 'server', verify: 0.5 }), {
      code: 'BAD_CONFIG',
      message:
        'aggregation server does not go with verify 0.5: what two workers send is compared where it is added, by the coordinator.',
      remedy: /^Leave out one of the two/,
    });
    for (const alone of [{ aggregation: 'server' }, { verify: 0.5 }]) refuseContradictions(alone);
  });

  it('is more copies of the weights than workers that host them', () => {
    const hosted = { servers: 'colocated', replicas: 1 };
    assert.throws(() => refuseContradictions({ ...hosted, workers: 1 }), {
      code: 'BAD_CONFIG',
      message:
        'workers 1 does not go with replicas 1: each copy of the weights is in the process of another worker.',
      remedy: /^Give at least 2 workers/,
    });
    for (const workers of [2, 3, undefined]) refuseContradictions({ ...hosted, workers });
    refuseContradictions({ servers: 1, replicas: 1, workers: 1 });
  });

  it('is named with where it comes from, as far as that is known', () => {
    const layout: JobLayout = { aggregation: 'server', verify: 0.5 };
    assert.throws(() => refuseContradictions(layout, { verify: 'flag --verify' }), {
      message: /^aggregation server does not go with verify 0.5 \(flag --verify\): /,
    });
  });
});
