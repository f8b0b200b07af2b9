export type { Block, Conditioning, Kernels, UpdateRule } from './contract.js';
export { createKernels } from './kernels.js';
export { slotsOf } from './update.js';
