import assert from 'node:assert/strict';
import type { RunEvent } from '@tutti/telemetry';
import { eachTest } from './each-test.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

describe('--verify on real processes', () => {
  const each = eachTest(import.meta.url);

  it('finds the process that flips a bit, and has the digest of the plain loop', async () => {
    const path = await each.folder.program(
      regressionWith(
        // Not in one step only: of that, on a busy machine, others may have done what it owes.
        `if (name === 'w1' && step >= 9) new Uint8Array(result.gradient.w.buffer)[1] ^= 4;`,
        '{ epochs: 4 }',
      ),
    );
    const expected = await runLocal(path, { workers: 0 }).result;
    const events: RunEvent[] = [];
    const run = runLocal(path, {
      workers: 3,
      minWorkers: 1,
      verify: 1,
      onEvent: (event) => events.push(event),
    });
    const [result, faulty] = await Promise.all([run.result, each.roll.worker('w1')]);
    assert.equal(result.digest, expected.digest);
    const excluded = events.filter(({ event }) => event === 'worker-excluded');
    assert.equal(excluded.length, 1);
    const { worker, step, pid } = excluded[0] as Extract<RunEvent, { event: 'worker-excluded' }>;
    assert.deepEqual({ worker, pid }, { worker: 'w1', pid: faulty.pid });
    assert.ok(step >= 9, `in step ${step}`);
    await each.roll.assertAllGone(4);
  });
});
