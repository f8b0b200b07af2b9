import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';
import { OPTIMIZERS } from './optimizers.js';

const digestAlone = async (program: Program) =>
  (await runLocal(program, { workers: 0 }).result).digest;

/** More than two chunks, so that three servers have something to hold. */
const WIDE = 140_000;

describe('the digest is the same', () => {
  for (const optimizer of OPTIMIZERS)
    it(`for any number of workers, with ${optimizer.name}`, async () => {
      const program = regression({ optimizer });
      const expected = await digestAlone(program);
      for (const workers of [1, 2, 3, 4, 8])
        assert.equal(
          (await simulate({ program, workers, seed: workers })).result.digest,
          expected,
          `${workers} workers`,
        );
    });

  it('for any arrival order', async () => {
    const program = regression();
    const expected = await digestAlone(program);
    for (let seed = 0; seed < 40; seed++)
      assert.equal(
        (await simulate({ program, workers: 1 + (seed % 8), seed })).result.digest,
        expected,
        `seed ${seed}`,
      );
  });

  for (const servers of [1, 2, 3])
    it(`for ${servers} servers`, async () => {
      const program = regression({
        features: WIDE,
        examples: 20,
        epochs: 1,
        optimizer: { name: 'adam', learningRate: 0.01, clipNorm: 0.1 },
      });
      const expected = await digestAlone(program);
      const { result } = await simulate({ program, workers: 3, servers, seed: servers });
      assert.equal(result.digest, expected);
    });

  it('for micro-batches that are uneven or empty', async () => {
    // 8 shards of batches of 5: three shards never have an example; the last batch has one.
    const program = regression({ examples: 31, batchSize: 5, epochs: 3 });
    const expected = await digestAlone(program);
    for (const workers of [2, 3, 8])
      assert.equal((await simulate({ program, workers, seed: 1 })).result.digest, expected);
  });

  it('only for one seed', async () => {
    const digests = await Promise.all([1, 2, 3].map((seed) => digestAlone(regression({ seed }))));
    assert.equal(new Set(digests).size, 3);
  });

  it('only for one number of shards', async () => {
    const [two, three] = await Promise.all(
      [2, 3].map((shards) => digestAlone(regression({ shards }))),
    );
    assert.notEqual(two, three);
  });
});

it('a run tells its steps, epochs and end', async () => {
  const { events } = await simulate({ program: regression({ epochs: 2 }), workers: 2, seed: 1 });
  const count = (name: string) => events.filter(({ event }) => event === name).length;
  assert.equal(count('step'), 14);
  assert.equal(count('epoch'), 2);
  const last = events.at(-1)!;
  assert.equal(last.event, 'finished');
});
