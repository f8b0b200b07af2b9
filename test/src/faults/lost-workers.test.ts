import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import { createRandom } from '@tutti/runtime';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

describe('a worker that is lost', () => {
  for (const aggregation of ['coordinator', 'server'] as const)
    it(`changes nothing in the digest, whenever it dies, if enough are left (sums by the ${aggregation})`, async () => {
      const program = regression();
      const expected = await runLocal(program, { workers: 0, chunkFloats: 4 }).result;
      for (let seed = 0; seed < 60; seed++) {
        const random = createRandom('crash', seed);
        const workers = 2 + random.below(4);
        const victims = new Map(
          Array.from({ length: 1 + random.below(workers - 1) }, (_, at) => [
            30 + random.below(500),
            `worker-${at + 1}`,
          ]),
        );
        let ticks = 0;
        const { result } = await simulate({
          program,
          workers,
          minWorkers: 1,
          aggregation,
          servers: 1 + (seed % 2),
          settings: { chunkFloats: 4 },
          seed,
          disturb(network) {
            const victim = victims.get(ticks++);
            if (victim !== undefined) network.crash(victim);
          },
        });
        assert.equal(result.digest, expected.digest, `seed ${seed}`);
      }
    });

  it('is waited for if too few are left; then the run ends, saying who is missing', async () => {
    let ticks = 0;
    const run = simulate({
      program: regression(),
      workers: 3,
      seed: 1,
      disturb(network) {
        if (ticks++ === 100) network.crash('worker-2');
      },
    });
    await assert.rejects(run, {
      code: 'DEADLINE',
      message:
        /^Waited 120\.\d s for 1 of 3 workers to join at .* \(here: w0, w1\); lost w2 in step \d+: /,
    });
  });
});
