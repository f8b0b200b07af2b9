export { OPTIMIZER_DEFAULTS, type OptimizerName } from './defaults.js';
export { createOptimizer, type Optimizer } from './optimizer.js';
export { learningRateAt } from './schedule.js';
export type { StoreSegment } from './segments.js';
export { createStore, type Store, type StoreInit } from './store.js';
export { checkOptimizer, validateOptimizer } from './validation.js';
