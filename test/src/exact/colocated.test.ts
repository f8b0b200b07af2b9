import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';
import { OPTIMIZERS } from './optimizers.js';

/** Several chunks for each server. */
const chunkFloats = 512;
const shape = { features: 1_530, examples: 40, epochs: 1 } as const;
const clipped = { name: 'adam', learningRate: 0.01, clipNorm: 0.1 } as const;

/** Copies of the weights beside the first: of three workers each, or of two and one, with two all have all. */
const REPLICAS: Readonly<Record<number, readonly number[]>> = { 1: [0], 2: [0, 1], 3: [0, 1, 2] };

async function assertSame(what: Parameters<typeof regression>[0], more: { verify?: number } = {}) {
  const program = regression({ ...shape, ...what });
  const expected = await runLocal(program, { workers: 0, chunkFloats }).result;
  for (const workers of [1, 2, 3])
    for (const replicas of REPLICAS[workers]!) {
      const init = { program, workers, replicas, seed: workers, settings: { chunkFloats } };
      const { result } = await simulate({ ...init, ...more, servers: 'colocated' });
      assert.equal(result.digest, expected.digest, `${workers} workers, ${replicas} replicas`);
    }
}

describe('with a server in the process of each worker the digest is that of the plain loop:', () => {
  for (const optimizer of OPTIMIZERS) it(optimizer.name, () => assertSame({ optimizer }));

  for (const gradientCompression of ['int8', 'bf16'] as const)
    it(`gradients as ${gradientCompression}, clipped by their norm`, () =>
      assertSame({ optimizer: clipped, gradientCompression }));

  it('sums at the coordinator, which compares them', () => assertSame({}, { verify: 1 }));

  it('fewer chunks than workers', async () => {
    const program = regression();
    const { digest } = await runLocal(program, { workers: 0 }).result;
    const { result } = await simulate({ program, workers: 3, seed: 1, servers: 'colocated' });
    assert.equal(result.digest, digest);
  });

  it('in one process', async () => {
    const program = regression({ ...shape, optimizer: clipped });
    const { digest } = await runLocal(program, { workers: 0, chunkFloats }).result;
    const events: RunEvent[] = [];
    const run = runLocal(program, {
      ...{ workers: 3, servers: 'colocated', chunkFloats },
      onEvent: (event) => events.push(event),
    });
    assert.equal((await run.result).digest, digest);
    const started = events.find((event) => event.event === 'started');
    assert.deepEqual([started?.workers, started?.servers], [3, 3]);
  });
});

describe('servers in the processes of workers', () => {
  it('are as many as there are copies of the weights at least', async () => {
    const run = runLocal(regression(), { workers: 1, servers: 'colocated', replicas: 1 });
    await assert.rejects(run.result, {
      code: 'BAD_CONFIG',
      message:
        'workers 1 does not go with replicas 1: each copy of the weights is in the process of another worker.',
    });
  });
});
