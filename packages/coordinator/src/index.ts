export { askStatus } from './ask-status.js';
export { assignShards } from './assignment.js';
export { chunkState } from './capture.js';
export {
  type CheckpointFolderInit,
  createCheckpointFolder,
  DEFAULT_KEEP,
} from './checkpoint-folder.js';
export { createCheckpointSchedule } from './checkpoint-schedule.js';
export type {
  CheckpointInterval,
  CheckpointSink,
  Resume,
  ResumePoint,
  Snapshot,
} from './checkpoint-sink.js';
export { isChecked } from './checks.js';
export {
  type Coordinator,
  type CoordinatorInit,
  createCoordinator,
  type Deadlines,
  type RunningCoordinator,
} from './coordinator.js';
export { readingCheckpoint } from './opening.js';
export { type JobSettings, resolvePlan } from './plan.js';
export { createProgress, endsEpoch, type Progress, type ProgressState } from './progress.js';
export { createRecorder, type StepRecord } from './recorder.js';
export { digestOf, finishedEvent, type JobResult, startedEvent } from './result.js';
export { resumeFrom } from './resume.js';
export { readPoint } from './resume-point.js';
export type { ServerAddress } from './servers.js';
export { createStep, type Step } from './step.js';
export { createSumDigests } from './sum-digests.js';
export { meansOf, type Totals, totalOf } from './totals.js';
export { createSnapshotQueue, writeSnapshot, writingModel } from './write-snapshot.js';
