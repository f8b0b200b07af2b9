export {
  basis,
  circulant,
  codebook,
  frozen,
  hankel,
  hashed,
  kronecker,
  lora,
  lowRank,
  pruned,
  rotated,
  type SharingMatrix,
  type SharingRule,
  shared,
  skewSymmetric,
  symmetric,
  tie,
  toeplitz,
  vera,
} from '@tutti/parameters';
export {
  type CompressionRule,
  continued,
  type TrainedWeight,
  trainedWeights,
} from './edge/continued.js';
export { edgeModel } from './edge/edge-model.js';
export { evaluateEdge } from './edge/evaluate-edge.js';
export { exportLayersModel } from './export/export-layers-model.js';
export { exportGraphModel } from './graph-model/export-graph-model.js';
export { kerasModel } from './keras/keras-model.js';
export type { Loss, LossFunction, LossName } from './losses/losses.js';
export type {
  Metric,
  MetricFunction,
  MetricName,
  MetricOptions,
  RatioFunction,
} from './metrics/metric.js';
export type { LayersModelFactory } from './model/build-model.js';
export type {
  FunctionContext,
  FunctionModel,
  ParameterDeclaration,
} from './model/function-model.js';
export { pretrained } from './sharing/pretrained.js';
export { type Tf, tf } from './tf.js';
export type { BatchTensors } from './tfjs/batch-tensors.js';
export type { ByOutput, ClassWeight } from './training/heads.js';
export { defineTraining, type TrainingProgram } from './training/training.js';
export type { TrainingOptions } from './training/training-options.js';
