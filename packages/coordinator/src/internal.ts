/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { isChecked } from './verify/verifier.js';
