export {
  type Block,
  type Conditioning,
  GROUP,
  type Kernels,
  type Rounding,
  type UpdateRule,
} from './contract.js';
export { createKernels } from './kernels.js';
export { pageAlignedFloats } from './page-aligned.js';
export { slotsOf } from './update.js';
