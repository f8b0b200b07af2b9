import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runLocal } from './run-local.js';

const PROGRAM = fileURLToPath(new URL('../../src/programs/idle.ts', import.meta.url));
const FLOATS = 225_034;
const STEPS = 8;

describe('a run as on a slow network', () => {
  it('takes the time of its bytes, and has the same digest', async () => {
    const limits = { bitsPerSecond: 100e6, delayMs: 3 };
    const options = { steps: STEPS, shards: 2 };
    const { digest } = await runLocal(PROGRAM, { ...options, workers: 0 }).result;
    const times: number[] = [];
    const run = runLocal(PROGRAM, { ...options, workers: 2, network: limits });
    for await (const event of run) if (event.event === 'step') times.push(event.stepMs);
    assert.equal((await run.result).digest, digest);
    // Two gradients come in, and then two copies of the weights go out. What goes on at once, and timers
    // that run early, may save some of it, but not a third.
    const leastMs = (4 * FLOATS * 4 * 8000) / limits.bitsPerSecond + 2 * limits.delayMs;
    for (const stepMs of times.slice(1)) assert.ok(stepMs > (2 / 3) * leastMs, `${stepMs} ms`);
  });
});
