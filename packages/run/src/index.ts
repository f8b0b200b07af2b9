export { bestSnapshot } from './checkpoints/best-snapshot.js';
export {
  type CheckpointFolderInit,
  createCheckpointFolder,
  DEFAULT_KEEP,
} from './checkpoints/checkpoint-folder.js';
export {
  type CheckpointSchedule,
  createCheckpointSchedule,
} from './checkpoints/checkpoint-schedule.js';
export {
  CHECKPOINT_SETTINGS,
  type CheckpointSettings,
  checkpointsOf,
} from './checkpoints/checkpoint-settings.js';
export { beginAgain, beginFrom, readWeights } from './checkpoints/first-weights.js';
export { frozenNames } from './checkpoints/frozen-names.js';
export { planToGoOn } from './checkpoints/plan-to-go-on.js';
export { readingCheckpoint, resumeFrom } from './checkpoints/resume.js';
export {
  readPoint,
  refuseOtherData,
  refuseOtherSharing,
} from './checkpoints/resume-point.js';
export { openingFolder } from './checkpoints/run-folder.js';
export {
  type CheckpointInterval,
  type CheckpointSink,
  ownCheckpoint,
  type Resume,
  type ResumePoint,
  type Snapshot,
  type Unfinished,
} from './checkpoints/snapshot.js';
export {
  createSnapshotQueue,
  type Saved,
  type SnapshotQueue,
  writeSnapshot,
  writingModel,
} from './checkpoints/snapshot-queue.js';
export { timedCheckpoints } from './checkpoints/timed-checkpoints.js';
export { defaultShards } from './default-shards.js';
export { createEventLog, type EventLog } from './event-log.js';
export { JOB_SETTINGS, type JobSettings, resolvePlan } from './plan.js';
export { createProgress, endsEpoch, type Progress, type ProgressState } from './progress.js';
export { createRecorder, type Recorder } from './recorder.js';
export { endingEvent, type JobResult, savedAs, startedEvent } from './result.js';
export {
  type BestState,
  createSteering,
  isSteered,
  type Steering,
} from './steering.js';
export { createStep, type ReadySum, type Step } from './step.js';
export {
  createStepProgress,
  type KnownSums,
  type ReadyChunk,
  type StepProgress,
} from './step-progress.js';
export type { StepRecord } from './step-record.js';
export { type Stop, stoppedAt } from './stopped.js';
export { type AppliedSum, createSumDigests } from './sum-digests.js';
export { meansOf, type Totals, totalOf } from './totals.js';
export { digestOf } from './weights-digest.js';
