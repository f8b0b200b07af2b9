export { checkProgram } from './check-program.js';
export { describeProgram } from './describe.js';
export { hostFacts } from './host-facts.js';
export { type OpenProgram, ofProgram, openProgram } from './open-program.js';
export {
  type Computation,
  defineProgram,
  type EvaluationResult,
  type GradientResult,
  type MicroBatch,
  type ParameterValues,
  type Program,
  type ProgramData,
} from './program.js';
export { createTask, type ReadMicroBatch, type Task } from './task.js';
export { watchTask } from './watch-task.js';
export {
  createWorker,
  type RunningWorker,
  type Worker,
  type WorkerEvent,
  type WorkerInit,
  type WorkerSummary,
} from './worker.js';
