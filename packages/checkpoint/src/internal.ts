/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { badCheckpoint } from './bad-checkpoint.js';
export type { FileSystem } from './files.js';
export {
  createLineLog,
  EVENTS_FILE,
  type LineLog,
  parseLines,
  readStepLog,
  STEPS_FILE,
} from './line-log.js';
export { type Claim, claimFolder, inUse, isAlive, readOwner } from './owner.js';
export { isSamePlan, planDifferences } from './plan-differences.js';
export { isBetter, metricOf, type Retention } from './retention.js';
export { createRunFolder, isRunFolder, listRuns } from './runs.js';
export { writeWhole } from './whole-file.js';
export type { WrittenCheckpoint } from './write-checkpoint.js';
export { type CheckpointWriter, createCheckpointWriter } from './writer.js';
