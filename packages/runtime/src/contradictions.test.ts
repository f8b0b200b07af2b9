import assert from 'node:assert/strict';
import { type JobLayout, refuseContradictions } from './contradictions.js';

const PAIRS = [
  [{ servers: 'colocated', replicas: 1 }, 'a server in the process of a worker has no standby'],
  [
    { aggregation: 'server', replicas: 2 },
    'a standby would not have the sums that its server has made',
  ],
  [
    { aggregation: 'server', verify: 0.5 },
    'what two workers send is compared where it is added, by the coordinator',
  ],
] as const;

describe('what no job can have together', () => {
  for (const [pair, why] of PAIRS) {
    const [one, other] = Object.entries(pair).map(([name, value]) => `${name} ${value}`);

    it(`is refused: ${one} with ${other}`, () =>
      assert.throws(() => refuseContradictions(pair), {
        code: 'BAD_CONFIG',
        message: `${one} does not go with ${other}: ${why}.`,
        remedy: /^Leave out one of the two/,
      }));

    it(`is allowed alone: ${one}, ${other}`, () => {
      for (const [name, value] of Object.entries(pair)) refuseContradictions({ [name]: value });
    });
  }

  it('is named with where it comes from, as far as that is known', () => {
    const layout: JobLayout = { servers: 'colocated', replicas: 1 };
    assert.throws(() => refuseContradictions(layout, { replicas: 'flag --replicas' }), {
      message: /^servers colocated does not go with replicas 1 \(flag --replicas\): /,
    });
  });
});
