export { createLanding, type Landing } from './landing.js';
export { packedBytes, unpackedBlock } from './packed.js';
export { createReducer, type HeldNode, type Offer, type Reducer } from './reducer.js';
export { maximalNodes, type Node, pathTo, split } from './tree.js';
