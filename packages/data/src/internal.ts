/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { checkDataset, isDataset } from './check-dataset.js';
export { toBatch, toField } from './field.js';
export {
  batches,
  createSampler,
  evaluationShard,
  type Sampler,
  type SamplerOptions,
} from './sampling.js';
