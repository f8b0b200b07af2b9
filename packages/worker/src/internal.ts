/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { directionOf } from '@tutti/protocol';
export { monitoredRunner } from './compute/monitored-runner.js';
export {
  createProgramRunner,
  type ProgramRunner,
  type ReadMicroBatch,
} from './compute/program-runner.js';
export { timedRunner } from './compute/timed-runner.js';
export { watchForEnd } from './link/job-end.js';
export { checkProgram } from './program/check-program.js';
export { describeProgram } from './program/describe.js';
export { identifyData } from './program/identify-data.js';
export { inspectProgram } from './program/inspect-program.js';
export {
  type OpenProgram,
  openComputation,
  openProgram,
  openWithoutData,
} from './program/open-program.js';
export { WORKER_SETTINGS } from './worker-settings.js';
