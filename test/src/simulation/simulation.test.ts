import assert from 'node:assert/strict';
import { sweep } from './sweep.js';

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

  // What the simulation found: each seed failed before it was mended.
  for (const [what, seed] of [
    ['a late joiner asked for a version that was gone, which ended the run', 14],
    ['the worker that was to make the initial values was lost, and awaited', 33],
    ['no worker was left when the initial values were wanted', 77],
    ['values were lost on the way to a server that was cut off', 100],
    ['a listener that was closed waited for a peer that was cut off', 112],
    ['a worker that left before its join was read stayed a member', 152],
    ['a stranger was first to join a new coordinator, which then refused all others', 659],
    ['a server was cut off before it was told to open, and not told again', 760],
    ['a deadline was missed by a rounding, and its timer set again for ever', 143],
  ] as const)
    it(`seed ${seed}: ${what}`, async () => {
      const { failures } = await sweep({ first: seed, last: seed });
      assert.deepEqual(failures, []);
    });
});
