export type { LocalOptions, LocalSettings } from './local-options.js';
export { runLocal } from './run-local.js';
