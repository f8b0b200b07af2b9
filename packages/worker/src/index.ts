export type { MetricDirection, MetricDirections, MetricForm, MetricForms } from '@tutti/protocol';
export {
  type Computation,
  defineProgram,
  type EvaluationResult,
  type FloatSource,
  type GradientResult,
  type MicroBatch,
  type ParameterValues,
  type Program,
  type ProgramData,
  type SharingFacts,
  type TakeKnown,
} from './program/program.js';
export {
  createWorker,
  type RunningWorker,
  type Worker,
  type WorkerEvent,
  type WorkerInit,
  type WorkerSummary,
} from './worker.js';
export type { WorkerSettings } from './worker-settings.js';
