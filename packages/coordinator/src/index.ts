export {
  type Coordinator,
  createCoordinator,
  type RunningCoordinator,
} from './coordinator.js';
export type { CoordinatorInit, Deadlines } from './coordinator-init.js';
export type { ServerAddress } from './servers/servers.js';
export { chunkState } from './state/capture.js';
export { askStatus } from './status/ask-status.js';
export { isChecked } from './verify/checks.js';
export { assignShards } from './workers/assignment.js';
