export { arrays } from './arrays.js';
export type { Batch, Dataset, Field } from './dataset.js';
export { type IdxOptions, idx } from './idx.js';
export {
  batches,
  createSampler,
  evaluationShard,
  type MicroBatchIndices,
  type Sampler,
  type SamplerOptions,
} from './sampling.js';
