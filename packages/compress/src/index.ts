export type { Precision } from './encode-tensor.js';
export {
  type ActivationSpec,
  type LayerSpec,
  type ModelSpec,
  type Precisions,
  type WrittenModel,
  writeModel,
} from './write-model.js';
