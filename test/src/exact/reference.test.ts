import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSampler } from '@tutti/data/internal';
import { runLocal } from '@tutti/launch';
import { createRandom } from '@tutti/runtime';
import type { ParameterValues } from '@tutti/worker';
import { regression } from '../programs/regression.js';

const LEARNING_RATE = Math.fround(0.05);

/** The tree as it is defined, without any of the code that the roles run. */
function treeSum(values: readonly Float32Array[], lo = 0, hi = values.length): Float32Array {
  if (hi - lo === 1) return values[lo]!;
  let power = 1;
  while (power * 2 < hi - lo) power *= 2;
  const left = treeSum(values, lo, lo + power);
  const right = treeSum(values, lo + power, hi);
  return left.map((value, i) => Math.fround(value + right[i]!));
}

describe('training', () => {
  it('equals a plain loop over the same tree, written down again', async () => {
    const shards = 5;
    const program = regression({ shards, optimizer: { name: 'sgd', learningRate: LEARNING_RATE } });
    const { batchSize, epochs, seed } = program;
    const { training } = await program.data();
    const computation = await program.open();
    const sampler = createSampler({ examples: training.size, batchSize, shards, seed });

    let weights: ParameterValues = await computation.initialize(seed);
    for (let step = 0; step < epochs * sampler.stepsPerEpoch; step++) {
      const gradients: Float32Array[] = [];
      let examples = 0;
      for (let shard = 0; shard < shards; shard++) {
        const { epoch, indices } = sampler.microBatch(step, shard);
        const batch = await training.read(indices);
        const random = createRandom('micro-batch', seed, epoch, step, shard);
        const microBatch = { batch, epoch, step, shard, random };
        const { gradient, count } = await computation.gradient(weights, microBatch);
        gradients.push(Float32Array.of(...gradient.w!, ...gradient.b!));
        examples += count;
      }
      const flat = Float32Array.of(...weights.w!, ...weights.b!);
      const moved = treeSum(gradients).map((sum, i) => {
        const mean = Math.fround(sum / examples);
        return Math.fround(flat[i]! - Math.fround(LEARNING_RATE * mean));
      });
      weights = { w: moved.subarray(0, -1), b: moved.subarray(-1) };
    }

    const flat = Float32Array.of(...weights.w!, ...weights.b!);
    const digest = createHash('sha256').update(new Uint8Array(flat.buffer)).digest('hex');
    assert.equal((await runLocal(program, { workers: 0 }).result).digest, digest);
    assert.equal((await runLocal(program, { workers: 3 }).result).digest, digest);
  });
});
