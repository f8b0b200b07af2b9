export { parameterDigest } from './digest.js';
export type { FileSystem } from './files.js';
export { type ListedCheckpoint, listCheckpoints, locateCheckpoint } from './folder.js';
export {
  type CheckpointFacts,
  MANIFEST_FILE,
  type Manifest,
  OPTIMIZER_FILE,
  WEIGHTS_FILE,
} from './manifest.js';
export {
  type Checkpoint,
  type Expectation,
  readCheckpoint,
  readManifest,
} from './read-checkpoint.js';
export { readSafetensors, type SafetensorsContent, writeSafetensors } from './safetensors.js';
export type { Tensor } from './safetensors-header.js';
export {
  type WriteCheckpointInit,
  type WrittenCheckpoint,
  writeCheckpoint,
} from './write-checkpoint.js';
