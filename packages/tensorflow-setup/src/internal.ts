/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { type AddonOrigin, addonOrigin } from './addon-entry.js';
export { isTensorflowChatter } from './chatter.js';
export { loadTensorflow, type Tensorflow } from './load.js';
export { type OldDependency, oldDependencies, overridesBlock } from './old-dependencies.js';
export { type OneDnnChoice, oneDnnHere, processorFeatures } from './onednn.js';
