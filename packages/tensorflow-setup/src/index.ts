export { isTensorflowChatter } from './chatter.js';
export {
  ensureTensorflow,
  type TensorflowSetup,
  type TensorflowStatus,
  tensorflowStatus,
} from './ensure.js';
export { loadTensorflow, type Tensorflow } from './load.js';
