export { type Coordinator, createCoordinator, type RunningCoordinator } from './coordinator.js';
export type { CoordinatorInit, WorkerObserver } from './coordinator-init.js';
export type { CoordinatorSettings, Deadlines } from './coordinator-settings.js';
export type { ServerAddress } from './servers/server-address.js';
export { askStatus } from './status/ask-status.js';
