export type { LocalOptions } from './local-options.js';
export { LOCAL_SETTINGS, type LocalSettings } from './local-settings.js';
export { runLocal } from './run-local.js';
