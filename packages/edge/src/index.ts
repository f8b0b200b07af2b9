export { EdgeError } from './error.js';
export { type EdgeModel, type ReadOptions, readModel, type Sharing } from './read-model.js';
