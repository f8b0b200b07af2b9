/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { checkDataset, isDataset } from './contract/check-dataset.js';
export { toBatch, toField } from './contract/field.js';
export {
  batches,
  createSampler,
  evaluationShard,
  type Sampler,
  type SamplerOptions,
} from './sampling/sampling.js';
