export { type LoadedProgram, loadProgram } from './load-program.js';
export { type LocalOptions, runLocal } from './run-local.js';
export { type SaveModel, saved } from './save-model.js';
export { trainInSingleProcess } from './single-process.js';
export { workerEnvironment } from './worker-environment.js';
