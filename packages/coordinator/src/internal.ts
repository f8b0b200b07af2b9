/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { COORDINATOR_SETTINGS } from './coordinator-settings.js';
export { type Asking, askHistory } from './status/ask-status.js';
export { DEADLINES, DEFAULT_WORKERS } from './tunables.js';
export { isChecked } from './verify/verifier.js';
