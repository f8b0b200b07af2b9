export { createMlflow } from './mlflow.js';
export { createTensorboard, type Tracker } from './tensorboard.js';
