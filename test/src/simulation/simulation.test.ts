import assert from 'node:assert/strict';
import { complete, REGRESSIONS } from './regressions.js';
import { FAULT_KINDS, scenarioOf } from './scenario.js';
import { createRunner, sweep } from './sweep.js';

describe('the simulated cluster', () => {
  const kinds = new Set<string>();
  for (const first of [1, 501, 1001, 1501])
    it(`keeps every invariant under faults: seeds ${first} to ${first + 499}`, async () => {
      const { runs, failures, injected } = await sweep({ first, last: first + 499 });
      assert.equal(runs, 500);
      assert.deepEqual(
        failures.map(({ seed, violations }) => ({ seed, violations })),
        [],
      );
      for (const kind of injected.keys()) kinds.add(kind);
    });

  it('has faults of every kind', () => {
    assert.deepEqual([...kinds].sort(), Object.keys(FAULT_KINDS).sort());
  });

  it('knows every field and fault of what it found before', () => {
    const keys = Object.keys(scenarioOf(1)).sort();
    for (const { what, scenario } of REGRESSIONS) {
      assert.deepEqual(Object.keys(complete(scenario)).sort(), keys, what);
      for (const { kind } of scenario.faults) assert.ok(kind in FAULT_KINDS, `${what}: ${kind}`);
    }
  });

  const run = createRunner();
  for (const { what, scenario } of REGRESSIONS)
    it(`goes on: ${what}`, async () => {
      const { violations } = await run(complete(scenario));
      assert.deepEqual(violations, []);
    });
});
