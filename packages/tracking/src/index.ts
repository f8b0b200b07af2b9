export { createKubeflow, type KubeflowServer, kubeflowServer } from './kubeflow.js';
export { createMlflow } from './mlflow.js';
export { createTensorboard, type Tracker } from './tensorboard.js';
export {
  createTimelineFile,
  joinTimelineFile,
  type TimelineFile,
  type TimelineFileInit,
} from './timeline-file.js';
