export { type BufferPool, createBufferPool } from './buffer-pool.js';
export {
  type Clock,
  createSimulatedClock,
  type SimulatedClock,
  systemClock,
  type Timer,
} from './clock.js';
export { closest } from './closest.js';
export { contradiction, refuseContradictions } from './contradictions.js';
export { ensureFolder, nearestFolder } from './ensure-folder.js';
export {
  type ErrorCode,
  type ErrorRecord,
  errorFromRecord,
  errorToRecord,
  isTuttiError,
  programError,
  TuttiError,
  toTuttiError,
} from './errors.js';
export { createGathering } from './gathering.js';
export { createHeap, type Heap } from './heap.js';
export { isRecord } from './is-record.js';
export { checkKeys } from './known-keys.js';
export { limitReached } from './limit-reached.js';
export { maskedChecksum } from './masked-checksum.js';
export {
  abortError,
  createMonitor,
  deadlineError,
  type Monitor,
  type Wait,
  type WaitReport,
} from './monitor.js';
export { mostOpenFiles } from './open-files.js';
export { createRandom, type Random, type RandomKey, randomState } from './random.js';
export { type EventListeners, type Running, start } from './running.js';
export { showValue } from './show-value.js';
export { createStamp, type Stampable, type Stamped } from './stamp.js';
export { byteOrderMark, NoTextError, textOf } from './text.js';
export { NO_TIMELINE, STATIONS, type Station, type Timeline } from './timeline.js';
export { tuttiVersion } from './version.js';
export { failAfter, withCleanUp } from './with-clean-up.js';
