import assert from 'node:assert/strict';
import { REGRESSIONS } from './regressions.js';
import { createRunner, sweep } from './sweep.js';

describe('the simulated cluster', () => {
  it('keeps every invariant under faults of every kind', async function () {
    this.timeout(180_000);
    const { runs, failures, injected } = await sweep({ first: 1, last: 1000 });
    assert.equal(runs, 1000);
    assert.deepEqual(
      failures.map(({ seed, violations }) => ({ seed, violations })),
      [],
    );
    assert.ok(injected.size >= 18, `only ${injected.size} kinds of faults were injected`);
  });

  const run = createRunner();
  for (const { what, scenario } of REGRESSIONS)
    it(`goes on: ${what}`, async () => {
      const { violations } = await run({ verify: 0, checkpointEvery: 0, ...scenario });
      assert.deepEqual(violations, []);
    });
});
