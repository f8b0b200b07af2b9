export { badCheckpoint } from './bad-checkpoint.js';
export { parameterDigest } from './digest.js';
export { type FileSystem, nodeFileSystem } from './files.js';
export {
  type ListedCheckpoint,
  latestCheckpoints,
  listCheckpoints,
  locateCheckpoint,
} from './folder.js';
export {
  type CheckpointFacts,
  type Evaluation,
  MANIFEST_FILE,
  type Manifest,
  OPTIMIZER_FILE,
  WEIGHTS_FILE,
} from './manifest.js';
export { isSamePlan, planDifferences } from './plan-differences.js';
export {
  type Checkpoint,
  type Expectation,
  readCheckpoint,
  readManifest,
} from './read-checkpoint.js';
export { isBetter, metricOf, type Retention } from './retention.js';
export { readSafetensors, type SafetensorsContent, writeSafetensors } from './safetensors.js';
export type { Tensor } from './safetensors-header.js';
export { createStepLog, readStepLog, STEPS_FILE, type StepLog } from './step-log.js';
export {
  type WriteCheckpointInit,
  type WrittenCheckpoint,
  writeCheckpoint,
} from './write-checkpoint.js';
export { type CheckpointWriter, createCheckpointWriter } from './writer.js';
