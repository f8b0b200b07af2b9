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
