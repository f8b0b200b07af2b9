export { checkpointsOf, type KeepOptions } from './checkpoints-of.js';
export { type LoadedProgram, loadProgram } from './load-program.js';
export { type Replay, type ReplayedStep, type ReplayInit, replay } from './replay.js';
export { type LocalOptions, runLocal } from './run-local.js';
export { trainInSingleProcess } from './single-process.js';
export { tellOfServer } from './tell-of-server.js';
export { SELDOM_MARKING, workerEnvironment } from './worker-environment.js';
