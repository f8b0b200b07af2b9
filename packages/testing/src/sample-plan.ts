import type { JobPlan } from '@tutti/protocol';

/** A small plan, but for what a test wants otherwise. */
export function samplePlan(fields: Partial<JobPlan> = {}): JobPlan {
  return {
    programName: 'line',
    programHash: 'f00d',
    parameters: [{ name: 'w', shape: [2] }],
    trainingExamples: 4,
    evaluationExamples: 0,
    evaluationBatchSize: 4,
    batchSize: 4,
    shards: 1,
    seed: 1,
    steps: 9,
    stepsPerEpoch: 1,
    optimizer: { name: 'sgd', learningRate: 1 },
    ...fields,
  };
}
