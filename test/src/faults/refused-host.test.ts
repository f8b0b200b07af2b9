import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

/** After this another server takes the range of one that is not reached. */
const HOST_PATIENCE_MS = 10_000;

describe('a worker that hosts a server and is refused', () => {
  it('does not have the weights go back for its server, though one is awaited', async () => {
    const program = regression({ features: 66_000, examples: 48, epochs: 2, batchSize: 8 });
    const { digest } = await runLocal(program, { workers: 0 }).result;
    const events: RunEvent[] = [];
    let struckAt: number | undefined;
    let joined = 0;
    const { result } = await simulate({
      ...{ program, workers: 2, minWorkers: 1, servers: 'colocated', seed: 1 },
      onEvent: (event) => events.push(event),
      // The third has another program; the fourth is welcome.
      worker: (at) => (at === 2 ? { programHash: 'f00d' } : {}),
      disturb(network, clock, join) {
        if (struckAt === undefined) {
          if (!events.some((event) => event.event === 'step' && event.step === 3)) return;
          network.crash('worker-1');
          struckAt = clock.now();
        }
        if (joined < 2 && clock.now() > struckAt + (1.5 + joined) * HOST_PATIENCE_MS) {
          joined++;
          join();
        }
      },
    });
    assert.equal(result.digest, digest);
    const told = events.flatMap((event) => (event.event === 'warning' ? [event.message] : []));
    const all = told.join('\n');
    assert.ok(
      told.some((message) => message.startsWith('Refused a peer: ')),
      all,
    );
    assert.equal(told.filter((message) => / weights went back /.test(message)).length, 1, all);
    assert.ok(!told.some((message) => message.includes('worker-2:1')), all);
    assert.ok(
      told.some((message) => /is held by the server at worker-3:1/.test(message)),
      all,
    );
  });
});
