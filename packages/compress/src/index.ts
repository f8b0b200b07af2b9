export type { DrawnWeight, Precision, Weight } from './encode-tensor.js';
export { fold } from './fold.js';
export {
  type ActivationSpec,
  type LayerSpec,
  type ModelSpec,
  type Precisions,
  type WrittenModel,
  writeModel,
} from './write-model.js';
