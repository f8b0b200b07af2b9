import type { OptimizerSpec } from '@tutti/protocol';

/** Every optimizer, with every kind of setting among them. */
export const OPTIMIZERS: readonly OptimizerSpec[] = [
  { name: 'sgd', learningRate: 0.05 },
  { name: 'momentum', learningRate: 0.02, weightDecay: 0.01 },
  { name: 'nesterov', learningRate: 0.02, clipValue: 0.5 },
  { name: 'adagrad', learningRate: 0.1 },
  { name: 'rmsprop', learningRate: 0.01, schedule: { kind: 'step', every: 5, factor: 0.5 } },
  { name: 'adam', learningRate: 0.05, clipNorm: 0.5 },
  { name: 'adamw', learningRate: 0.05, weightDecay: 0.1, warmupSteps: 4 },
  { name: 'adadelta', learningRate: 1 },
  { name: 'adamax', learningRate: 0.05, schedule: { kind: 'cosine', steps: 14 } },
];
