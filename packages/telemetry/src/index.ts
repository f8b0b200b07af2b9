export {
  type CheckpointEvent,
  type EpochEvent,
  type EvaluationNumbers,
  type FailedEvent,
  type FinishedEvent,
  failedEvent,
  type Hyperparameters,
  type Metrics,
  noticeEvent,
  type RunEvent,
  type ServerCaughtUpEvent,
  type StartedEvent,
  type StepEvent,
  type WaitingEvent,
  type WarningEvent,
  type WeightsEvent,
  type WorkerExcludedEvent,
  type WorkerJoinedEvent,
  type WorkerLeftEvent,
  warningOf,
} from './events.js';
export {
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatMetric,
  formatMetrics,
  formatRange,
  formatRanges,
} from './format.js';
export { createJsonRenderer } from './json-renderer.js';
export { createLog, type Log, type LogLevel } from './log.js';
export { createPlainRenderer } from './plain-renderer.js';
export { createProgressRenderer } from './progress-renderer.js';
export { readEvent } from './read-event.js';
export type { Renderer, RendererInit, TextStream, TimedRendererInit } from './renderer.js';
export { loadingCode, summaryLines } from './summary.js';
export { createTimeLeft, type TimeLeft } from './time-left.js';
