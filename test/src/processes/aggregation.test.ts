import assert from 'node:assert/strict';
import type { RunEvent } from '@tutti/telemetry';
import { eachTest } from './each-test.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const each = eachTest(import.meta.url);

/** More chunks than servers. */
const SIZE = { features: 2000, epochs: 4 };
const chunkFloats = 512;

describe('processes whose servers make the sums', () => {
  it('have the digest of the plain loop', async () => {
    const path = await each.folder.program(regressionWith('', JSON.stringify(SIZE)));
    const { digest } = await runLocal(path, { workers: 0, chunkFloats }).result;
    const options = { workers: 2, servers: 2, aggregation: 'server', chunkFloats } as const;
    assert.equal((await runLocal(path, options).result).digest, digest);
    await each.roll.assertAllGone(3);
  });

  it('have it too if a worker is killed in the middle of a step', async () => {
    // Of eight shards each worker has two or three: this is the second of those of w1.
    const killed = regressionWith(
      `if (name === 'w1' && step === 5 && ++times === 2) process.kill(process.pid, 'SIGKILL');`,
      JSON.stringify(SIZE),
    );
    const path = await each.folder.program(`let times = 0;\n${killed}`);
    const { digest } = await runLocal(path, { workers: 0, chunkFloats }).result;
    const events: RunEvent[] = [];
    const { result } = runLocal(path, {
      ...{ workers: 3, minWorkers: 1, servers: 2, aggregation: 'server', chunkFloats },
      onEvent: (event) => events.push(event),
    });
    assert.equal((await result).digest, digest);
    const left = events.flatMap((event) => (event.event === 'worker-left' ? event.worker : []));
    assert.deepEqual(left, ['w1']);
    await each.roll.assertAllGone(4);
  });
});
