export {
  ensureTensorflow,
  type TensorflowSetup,
  type TensorflowStatus,
  tensorflowStatus,
} from './ensure.js';
