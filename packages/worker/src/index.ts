export { hostFacts } from './compute/host-facts.js';
export { createTask, type ReadMicroBatch, type Task } from './compute/task.js';
export { watchTask } from './compute/watch-task.js';
export { checkProgram } from './program/check-program.js';
export { describeProgram } from './program/describe.js';
export { type OpenProgram, ofProgram, openProgram } from './program/open-program.js';
export {
  type Computation,
  defineProgram,
  type EvaluationResult,
  type GradientResult,
  type MicroBatch,
  type ParameterValues,
  type Program,
  type ProgramData,
} from './program/program.js';
export {
  createWorker,
  type RunningWorker,
  type Worker,
  type WorkerEvent,
  type WorkerInit,
  type WorkerSummary,
} from './worker.js';
