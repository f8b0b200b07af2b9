export {
  BLOCK_FLOATS,
  CHUNK_FLOATS,
  checkChunkFloats,
  chunkFloatsFor,
  createLayout,
  type Layout,
  layoutOf,
  MAX_CHUNK_FLOATS,
  type PlacedParameter,
  partition,
  type Segment,
} from './layout.js';
export * from './sharing/index.js';
