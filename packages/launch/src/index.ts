export type { JobResult } from '@tutti/run';
export { isTuttiError, type Running, type Stamped, type TuttiError } from '@tutti/runtime';
export type { RunEvent } from '@tutti/telemetry';
export type { LocalOptions } from './local-options.js';
export { LOCAL_SETTINGS, type LocalSettings } from './local-settings.js';
export { runLocal } from './run-local.js';
