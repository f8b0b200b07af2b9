import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import { GRADIENT_COMPRESSIONS, type Message, type Transport } from '@tutti/protocol';
import type { StepRecord } from '@tutti/run';
import { overheard } from '../overheard.js';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

/** Several chunks, and groups of elements that are not whole. */
const chunkFloats = 512;
const shape = { features: 1_530, examples: 40, epochs: 1 };
const adam = { name: 'adam', learningRate: 0.01 } as const;

/** Where the sums are made. */
const PLACES = ['coordinator', 'server'] as const;

describe('the digest does not depend on where the sums are made:', () => {
  const programs = {
    adam: regression({ ...shape, optimizer: adam }),
    'clipping by global norm': regression({ ...shape, optimizer: { ...adam, clipNorm: 0.1 } }),
    ...Object.fromEntries(
      GRADIENT_COMPRESSIONS.map((to) => [
        to,
        regression({ ...shape, optimizer: { ...adam, clipNorm: 0.1 }, gradientCompression: to }),
      ]),
    ),
  };
  for (const [what, program] of Object.entries(programs))
    it(what, async () => {
      const expected = await runLocal(program, { workers: 0, chunkFloats }).result;
      for (const aggregation of PLACES)
        for (const [servers, replicas] of [
          [1, 0],
          [2, 0],
          [2, 1],
        ] as const)
          for (const workers of [1, 2, 3]) {
            const settings = { chunkFloats };
            const seed = 3 * servers + workers;
            const init = { program, workers, servers, replicas, aggregation, settings, seed };
            const { digest } = (await simulate(init)).result;
            const where = `${workers} workers, ${servers} servers, ${replicas} replicas`;
            assert.equal(digest, expected.digest, where);
          }
    });

  it('in one process, with more servers than chunks', async () => {
    const program = regression({ examples: 40 });
    const expected = await runLocal(program, { workers: 0 }).result;
    for (const servers of [1, 3])
      for (const replicas of [0, 1]) {
        const run = runLocal(program, { workers: 2, servers, replicas, aggregation: 'server' });
        assert.equal((await run.result).digest, expected.digest);
      }
  });

  it('nor do the digests of the sums that are recorded for replay', async () => {
    const program = regression({ ...shape, optimizer: { ...adam, clipNorm: 0.1 } });
    const recorded = async (aggregation: (typeof PLACES)[number]) => {
      const records: StepRecord[] = [];
      const checkpoints = {
        every: { steps: 100 },
        write: async () => ({ path: 'nowhere' }),
        record: async (_program: string, record: StepRecord) => void records.push(record),
      };
      const settings = { chunkFloats };
      const init = { program, workers: 2, servers: 2, aggregation, settings, seed: 1 };
      await simulate({ ...init, checkpoints });
      return records.map(({ job: _, ...record }) => record);
    };
    const records = await recorded('coordinator');
    assert.equal(records.length, 3);
    assert.deepEqual(await recorded('server'), records);
  });
});

describe('where the servers make the sums', () => {
  it('no tensor comes to the coordinator, nor goes from it, in a step', async () => {
    const program = regression({ ...shape, optimizer: adam });
    const carried = new Map<Message['type'], number>();
    const watched = (transport: Transport) =>
      overheard(transport, (address, { message, payload }) => {
        if (address.startsWith('coordinator') && payload !== undefined)
          carried.set(message.type, (carried.get(message.type) ?? 0) + 1);
      });
    await simulate({
      ...{ program, workers: 2, servers: 2, aggregation: 'server', seed: 1 },
      settings: { chunkFloats },
      worker: (_at, _clock, transport) => ({ transport: watched(transport) }),
    });
    // Before the first step the values that the training begins with.
    assert.deepEqual([...carried.keys()], ['initial']);
  });

  it('checks are refused', async () => {
    const run = runLocal(regression(), { workers: 2, aggregation: 'server', verify: 0.5 });
    await assert.rejects(run.result, {
      code: 'BAD_CONFIG',
      message: /^aggregation server does not go with verify /,
    });
  });
});
