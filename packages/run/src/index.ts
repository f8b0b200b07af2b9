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
export { createEventLog, type EventLog } from './event-log.js';
export { defaultShards } from './plan/default-shards.js';
export { JOB_SETTINGS, type JobSettings, resolvePlan } from './plan/plan.js';
export {
  createProgress,
  endsEpoch,
  type Progress,
  type ProgressState,
} from './progress/progress.js';
export {
  type BestState,
  createSteering,
  isSteered,
  type Steering,
} from './progress/steering.js';
export { createRecorder, type Recorder } from './recorder.js';
export { endingEvent, type JobResult, savedAs, startedEvent } from './result.js';
export { createStep, type ReadySum, type Step } from './step/step.js';
export {
  createStepProgress,
  type KnownSums,
  type ReadyChunk,
  type StepProgress,
} from './step/step-progress.js';
export type { StepRecord } from './step/step-record.js';
export { type AppliedSum, createSumDigests } from './step/sum-digests.js';
export { meansOf, type Totals, totalOf } from './step/totals.js';
export { type Stop, stoppedAt } from './stopped.js';
export { digestOf } from './weights-digest.js';
