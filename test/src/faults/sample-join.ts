import type { Body } from '@tutti/protocol';

/** What a worker says first, of a program that nobody here trains. */
export const sampleJoin = (worker: string): Body => ({
  type: 'join',
  worker,
  description: {
    name: 'another',
    hash: 'f00d',
    parameters: [{ name: 'w', shape: [1] }],
    trainingExamples: 1,
    evaluationExamples: 0,
    defaults: { batchSize: 1, epochs: 1, seed: 1, optimizer: { name: 'sgd', learningRate: 1 } },
  },
  host: { hostname: 'h', pid: 1, cpu: 'c', node: 'n', arithmetic: {} },
});
