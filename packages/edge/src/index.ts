export { EdgeError } from './error.js';
export { type EdgeModel, readModel } from './read-model.js';
