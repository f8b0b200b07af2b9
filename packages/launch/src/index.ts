export { LOCAL_SETTINGS, type LocalOptions, type LocalSettings } from './local-options.js';
export { runLocal } from './run-local.js';
