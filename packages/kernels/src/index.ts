export type { Block, Conditioning, Kernels, UpdateRule } from './contract.js';
