export { chooseParts } from './choose-parts.js';
export type { DrawnWeight, Precision } from './encode-tensor.js';
export { fold } from './fold.js';
export { gatherPart } from './index-part.js';
export type { ActivationSpec, LayerSpec, ModelSpec } from './model-spec.js';
export type { MadeWeight, PartSpec, Weight } from './parts.js';
export { type Precisions, type WrittenModel, writeModel } from './write-model.js';
