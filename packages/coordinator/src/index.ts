export { type Coordinator, createCoordinator, type RunningCoordinator } from './coordinator.js';
export type { CoordinatorInit, Deadlines, WorkerObserver } from './coordinator-init.js';
export type { ServerAddress } from './servers/servers.js';
export { askStatus } from './status/ask-status.js';
