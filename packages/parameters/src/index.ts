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
export { type DrawnBy, drawnBy } from './sharing/expressions/drawn-by.js';
export { evaluate, type Leaves } from './sharing/expressions/evaluate.js';
export {
  type ConstantSource,
  type Expression,
  nodesOf,
  type Op,
  operandsOf,
  type Shape,
  sizeOf,
  storedIn,
} from './sharing/expressions/expression.js';
export { inspectSharing, type SharingReport, type WeightReport } from './sharing/inspect.js';
export * from './sharing/kinds/index.js';
export { sharingPicture } from './sharing/picture.js';
export { useOf, type WeightRole, type WeightUse } from './sharing/plan-use.js';
export {
  type FrozenValues,
  resolveSharing,
  type SharedWeight,
  type Sharing,
} from './sharing/resolve.js';
export type {
  Definition,
  FirstValues,
  KindRule,
  Pretrained,
  SharingRule,
  TieRule,
  WeightSpec,
} from './sharing/rule.js';
