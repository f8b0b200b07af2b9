/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { monitoredTask } from './compute/monitored-task.js';
export { createTask, type ReadMicroBatch, type Task } from './compute/task.js';
export { checkProgram } from './program/check-program.js';
export { describeProgram } from './program/describe.js';
export { identifyData } from './program/identify-data.js';
export { inspectProgram } from './program/inspect-program.js';
export { type OpenProgram, openProgram } from './program/open-program.js';
export { WORKER_SETTINGS } from './worker-settings.js';
