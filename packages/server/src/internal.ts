/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { replacedText } from './replaced-text.js';
export { SERVER_SETTINGS } from './server-settings.js';
