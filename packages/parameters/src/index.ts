export {
  BLOCK_FLOATS,
  CHUNK_FLOATS,
  chunkFloatsFor,
  createLayout,
  type Layout,
  layoutOf,
  type PlacedParameter,
  partition,
  type Segment,
} from './layout.js';
export {
  expand,
  hashed,
  reduce,
  resolveSharing,
  type Sharing,
  type SharingMap,
  type SharingRule,
  storedFromWeights,
  tie,
  type WeightSpec,
} from './sharing.js';
