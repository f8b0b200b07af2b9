import type { JobPlan } from './plan.js';

/** Examples of one micro-batch; 0 where the shard has nothing in this step. See `createSampler`. */
export function microBatchSize(plan: JobPlan, step: number, shard: number): number {
  const { batchSize, shards, trainingExamples, stepsPerEpoch } = plan;
  const [start, end] = intervalOf(batchSize, shards, shard);
  const left = trainingExamples - (step % stepsPerEpoch) * batchSize;
  return Math.max(0, Math.min(end, left) - start);
}

/** The different numbers of examples in the calls that evaluate one shard of the evaluation set. */
export function evaluationBatchSizes(plan: JobPlan, shard: number): number[] {
  const { evaluationExamples, evaluationBatchSize, shards } = plan;
  const [from, to] = intervalOf(evaluationExamples, shards, shard);
  const whole = to - from >= evaluationBatchSize ? [evaluationBatchSize] : [];
  const rest = (to - from) % evaluationBatchSize;
  return rest === 0 ? whole : [...whole, rest];
}

/** As the data are cut: see `createSampler` and `evaluationShard`. */
function intervalOf(length: number, parts: number, part: number): [number, number] {
  return [Math.floor((part * length) / parts), Math.floor(((part + 1) * length) / parts)];
}
