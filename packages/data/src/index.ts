export type { Batch, Dataset, Field } from './dataset.js';
export {
  batches,
  createSampler,
  evaluationShard,
  type MicroBatchIndices,
  type Sampler,
  type SamplerOptions,
} from './sampling.js';
