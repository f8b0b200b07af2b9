export { describeProgram } from './describe.js';
export { hostFacts } from './host-facts.js';
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
export {
  createWorker,
  type RunningWorker,
  type Worker,
  type WorkerEvent,
  type WorkerInit,
  type WorkerSummary,
} from './worker.js';
