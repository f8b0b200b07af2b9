/** What other packages of Tutti use, and nobody else: it may change with any version. It runs in browsers, too. */

export * from './format.js';
