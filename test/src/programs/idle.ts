import { arrays } from '@tutti/data';
import { defineProgram } from '@tutti/worker';

/**
 * A program that computes nothing: what a step of it takes is what synchronising takes. The number
 * of parameters comes from the environment, since worker processes are given a path.
 */
const floats = Number(process.env.IDLE_PARAMETERS ?? 225_034);
const gradient = { w: new Float32Array(floats).fill(1e-3) };
const examples = { x: { data: new Float32Array(1024), shape: [1024, 1] } };

export default defineProgram({
  name: 'idle',
  batchSize: 16,
  epochs: 1000,
  seed: 1,
  optimizer: { name: 'adam', learningRate: 0.001 },
  data: () => ({ training: arrays(examples) }),
  parameters: [{ name: 'w', shape: [floats] }],
  initialize: () => ({ w: new Float32Array(floats) }),
  gradient: (_, { batch }) => ({ gradient, lossSum: 1, count: batch.x!.shape[0]! }),
  evaluate: (_, batch) => ({ lossSum: 1, count: batch.x!.shape[0]! }),
});
