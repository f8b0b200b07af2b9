import assert from 'node:assert/strict';
import fc from 'fast-check';
import { batches, createSampler, evaluationShard, type SamplerOptions } from './sampling.js';

const settings = fc.record({
  examples: fc.integer({ min: 1, max: 700 }),
  batchSize: fc.integer({ min: 1, max: 150 }),
  shards: fc.integer({ min: 1, max: 40 }),
  seed: fc.integer(),
});

function epochOf(options: SamplerOptions, epoch: number): number[][][] {
  const sampler = createSampler(options);
  const steps = Array.from({ length: sampler.stepsPerEpoch }, (_, j) => j);
  const shards = Array.from({ length: options.shards }, (_, s) => s);
  return steps.map((j) =>
    shards.map((s) => [...sampler.microBatch(epoch * sampler.stepsPerEpoch + j, s).indices]),
  );
}

const PINNED = [
  [[8], [1], [6, 2]],
  [[4], [9], [10, 3]],
  [[0], [5], [7]],
  [[4], [1], [7, 3]],
];

describe('sampler', () => {
  it('takes every example exactly once an epoch', () => {
    fc.assert(
      fc.property(settings, fc.nat({ max: 3 }), (options, epoch) => {
        const seen = epochOf(options, epoch).flat(2);
        assert.deepEqual(
          seen.sort((a, b) => a - b),
          Array.from({ length: options.examples }, (_, i) => i),
        );
      }),
    );
  });

  it('fills every step but the last with exactly batchSize examples', () => {
    fc.assert(
      fc.property(settings, (options) => {
        const sizes = epochOf(options, 0).map((step) => step.flat().length);
        const last = sizes.pop();
        assert.ok(sizes.every((size) => size === options.batchSize));
        assert.equal(last, options.examples - sizes.length * options.batchSize);
      }),
    );
  });

  it('gives each shard the positions whose remainder lies in its interval', () => {
    fc.assert(
      fc.property(settings, fc.nat({ max: 3 }), (options, epoch) => {
        const { batchSize, shards } = options;
        for (const step of epochOf(options, epoch)) {
          for (const [shard, indices] of step.entries()) {
            const start = Math.floor((shard * batchSize) / shards);
            const end = Math.floor(((shard + 1) * batchSize) / shards);
            for (const p of indices) {
              assert.ok(p % batchSize >= start && p % batchSize < end, `${p} in shard ${shard}`);
            }
          }
        }
      }),
    );
  });

  it('does not depend on the order of calls, nor on calls for other shards', () => {
    const calls = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 1000 })), { maxLength: 40 });
    fc.assert(
      fc.property(settings, calls, (options, pairs) => {
        const shared = createSampler(options);
        for (const [step, any] of pairs) {
          const shard = any % options.shards;
          assert.deepEqual(
            shared.microBatch(step, shard),
            createSampler(options).microBatch(step, shard),
          );
        }
      }),
    );
  });

  it('gives memory that later calls leave alone', () => {
    const sampler = createSampler({ examples: 40, batchSize: 8, shards: 2, seed: 1 });
    const first = sampler.microBatch(0, 0).indices;
    const copy = Uint32Array.from(first);
    sampler.microBatch(sampler.stepsPerEpoch, 0);
    assert.deepEqual(first, copy);
  });

  it('shuffles differently in every epoch, for every seed and within every shard', () => {
    const options = { examples: 1000, batchSize: 100, shards: 4, seed: 7 };
    const epochs = [0, 1, 2].map((epoch) => JSON.stringify(epochOf(options, epoch)));
    assert.equal(new Set(epochs).size, 3);
    assert.notEqual(epochs[0], JSON.stringify(epochOf({ ...options, seed: 8 }, 0)));
    const [shard0, shard1] = epochOf(options, 0)[0]!.map((run) => run.map((p) => p % 25));
    assert.notDeepEqual(shard0, shard1);
  });

  it('keeps its rule: these very indices', () => {
    // A change here changes every experiment that was ever run.
    const sampler = createSampler({ examples: 11, batchSize: 4, shards: 3, seed: 42 });
    const run = [0, 1, 2, 3].map((step) =>
      [0, 1, 2].map((shard) => [...sampler.microBatch(step, shard).indices]),
    );
    assert.deepEqual(run, PINNED);
    assert.deepEqual(
      [0, 2, 3].map((step) => sampler.microBatch(step, 0).epoch),
      [0, 0, 1],
    );
  });

  it('refuses settings without meaning, naming them', () => {
    const good = { examples: 10, batchSize: 4, shards: 2, seed: 0 };
    for (const [name, value] of [
      ['examples', 0],
      ['batchSize', 0],
      ['shards', 1.5],
      ['seed', Number.NaN],
    ] as const) {
      assert.throws(() => createSampler({ ...good, [name]: value }), {
        code: 'BAD_CONFIG',
        message: new RegExp(`^${name} is ${value}`),
      });
    }
    const sampler = createSampler(good);
    assert.throws(() => sampler.microBatch(-1, 0), { code: 'BAD_CONFIG' });
    assert.throws(() => sampler.microBatch(0, 2), { code: 'BAD_CONFIG' });
  });
});

describe('evaluationShard', () => {
  it('cuts the set into contiguous ranges that cover it and differ by at most one', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.integer({ min: 1, max: 200 }), (examples, shards) => {
        let at = 0;
        for (let shard = 0; shard < shards; shard++) {
          const [from, to] = evaluationShard(examples, shards, shard);
          assert.equal(from, at);
          assert.ok(Math.abs(to - from - examples / shards) < 1);
          at = to;
        }
        assert.equal(at, examples);
      }),
    );
  });
});

describe('batches', () => {
  it('walks a range in runs of at most the given size', () => {
    assert.deepEqual(
      [...batches(3, 8, 2)].map((run) => [...run]),
      [[3, 4], [5, 6], [7]],
    );
    assert.deepEqual([...batches(3, 3, 2)], []);
  });
});
