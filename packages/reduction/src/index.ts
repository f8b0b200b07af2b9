export { createLanding, type Landing } from './landing.js';
export { packedBytes } from './packed.js';
export {
  type BlockPlace,
  createReducer,
  type HeldNode,
  type Offer,
  type Reducer,
} from './reducer.js';
export { maximalNodes, type Node, pathTo, split } from './tree.js';
