export { checkpointsOf, type KeepOptions } from './checkpoints-of.js';
export type { LocalOptions } from './local-options.js';
export { tellOfServer } from './processes/tell-of-server.js';
export { SELDOM_MARKING, workerEnvironment } from './processes/worker-environment.js';
export { type LoadedProgram, loadProgram } from './program/load-program.js';
export { runLocal } from './run-local.js';
export {
  type Replay,
  type ReplayedStep,
  type ReplayInit,
  replay,
} from './single-process/replay.js';
export { trainInSingleProcess } from './single-process/single-process.js';
