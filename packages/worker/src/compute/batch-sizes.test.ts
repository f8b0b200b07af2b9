import assert from 'node:assert/strict';
import { batches, createSampler, evaluationShard } from '@tutti/data/internal';
import { evaluationBatchSizes, type JobPlan, microBatchSize } from '@tutti/protocol';

const planOf = (sizes: Partial<JobPlan>): JobPlan => ({
  programName: 'p',
  programHash: 'h',
  parameters: [{ name: 'w', shape: [1] }],
  trainingExamples: 1,
  evaluationExamples: 0,
  evaluationBatchSize: 4,
  batchSize: 1,
  shards: 1,
  seed: 1,
  steps: 1,
  stepsPerEpoch: 1,
  optimizer: { name: 'sgd', learningRate: 1 },
  ...sizes,
});

describe('the sizes that follow from a plan', () => {
  it('are those of the micro-batches that are drawn, also where some are smaller or empty', () => {
    for (const [examples, batchSize, shards] of [
      [100, 29, 13],
      [103, 16, 8],
      [7, 3, 5],
      [64, 64, 1],
    ] as const) {
      const sampler = createSampler({ examples, batchSize, shards, seed: 1 });
      const { stepsPerEpoch } = sampler;
      const plan = planOf({ trainingExamples: examples, batchSize, shards, stepsPerEpoch });
      for (let step = 0; step < 2 * stepsPerEpoch; step++)
        for (let shard = 0; shard < shards; shard++)
          assert.equal(
            microBatchSize(plan, step, shard),
            sampler.microBatch(step, shard).indices.length,
            `step ${step}, shard ${shard} of ${shards}`,
          );
    }
  });

  it('are those of the calls that evaluate', () => {
    for (const [evaluationExamples, evaluationBatchSize, shards] of [
      [103, 4, 8],
      [64, 8, 2],
      [3, 4, 5],
      [0, 4, 2],
    ] as const)
      for (let shard = 0; shard < shards; shard++) {
        const plan = planOf({ evaluationExamples, evaluationBatchSize, shards });
        const [from, to] = evaluationShard(evaluationExamples, shards, shard);
        const drawn = [...batches(from, to, evaluationBatchSize)].map(({ length }) => length);
        assert.deepEqual(evaluationBatchSizes(plan, shard), [...new Set(drawn)]);
      }
  });
});
