export {
  type ListedCheckpoint,
  latestCheckpoints,
  listCheckpoints,
  locateCheckpoint,
} from './folder.js';
export type { CheckpointFacts, Manifest, Means } from './manifest.js';
export {
  type Checkpoint,
  type Expectation,
  readCheckpoint,
  readManifest,
} from './read-checkpoint.js';
export { readSafetensors, type SafetensorsContent, writeSafetensors } from './safetensors.js';
export type { Tensor } from './safetensors-header.js';
