export type { LocalOptions } from './local-options.js';
export { runLocal } from './run-local.js';
