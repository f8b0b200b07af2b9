import assert from 'node:assert/strict';
import type { JobPlan } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import { LOOK_AHEAD_MS, MOST_STEPS_AHEAD } from '../tunables.js';
import { createLookAhead } from './look-ahead.js';

/** @param stepMs how long each step takes */
function allowedBy(
  plan: Partial<JobPlan>,
  stepMs: number,
  versions: number,
  { checkpoint = Number.POSITIVE_INFINITY, interrupt = new AbortController().signal } = {},
) {
  const clock = createSimulatedClock();
  const allowed: number[] = [];
  let version = 0;
  const ledger = { version: () => version, allowed: () => allowed.at(-1) ?? 0 };
  const lookAhead = createLookAhead({
    plan: { ...samplePlan(), steps: 1000, stepsPerEpoch: 1000, ...plan },
    clock,
    aggregation: {
      allow(until, rate) {
        assert.equal(rate, 0.5);
        if (until > Math.max(ledger.allowed(), version)) allowed.push(until);
      },
    },
    checkpoints: { next: () => checkpoint },
    steering: { rate: () => 0.5 },
    catchUp: { due: () => false },
    interrupt,
  });
  for (; version < versions; version++) {
    lookAhead(ledger);
    clock.advance(stepMs);
  }
  return allowed;
}

describe('what servers may do without an order', () => {
  it('is a few steps, renewed in time', () => {
    const allowed = allowedBy({}, 1, 60);
    assert.equal(allowed[0], 1 + MOST_STEPS_AHEAD);
    for (const [at, until] of allowed.entries())
      if (at > 0) assert.ok(until > allowed[at - 1]! && until <= 60 + MOST_STEPS_AHEAD);
    assert.ok(allowed.length <= 1 + 60 / (MOST_STEPS_AHEAD / 2));
  });

  it('takes no longer than a moment', () => {
    assert.deepEqual(allowedBy({}, LOOK_AHEAD_MS / 2, 2), [3]);
    assert.ok(allowedBy({}, LOOK_AHEAD_MS + 1, 5).every((until) => until < 5));
  });

  it('ends at the next version at which something is decided', () => {
    assert.equal(allowedBy({ stepsPerEpoch: 5 }, 1, 2)[0], 5);
    assert.equal(allowedBy({ steps: 7 }, 1, 2)[0], 7);
    assert.equal(allowedBy({}, 1, 2, { checkpoint: 4 })[0], 4);
  });

  it('is nothing once the run is to end', () => {
    const interrupt = AbortSignal.abort();
    assert.deepEqual(allowedBy({}, 1, 20, { interrupt }), []);
  });
});
