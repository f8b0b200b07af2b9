export type { Batch, Dataset, Field } from './dataset.js';
