export { hashed, type SharingRule, tie } from '@tutti/parameters';
export type { BatchTensors } from './batch-tensors.js';
export type { LayersModelFactory } from './build-model.js';
export { exportLayersModel } from './export-layers-model.js';
export type { FunctionContext, FunctionModel, ParameterDeclaration } from './function-model.js';
export type { Loss, LossFunction, LossName } from './losses.js';
export type { Metric, MetricFunction } from './metrics.js';
export { type Tf, tf } from './tf.js';
export { defineTraining, type TrainingOptions, type TrainingProgram } from './training.js';
