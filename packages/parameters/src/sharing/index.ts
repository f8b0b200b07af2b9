export { evaluate, type Leaves } from './evaluate.js';
export {
  type ConstantSource,
  type Expression,
  nodesOf,
  type Op,
  operandsOf,
  type Shape,
  sizeOf,
  storedIn,
} from './expression.js';
export { inspectSharing, type SharingReport, type WeightReport } from './inspect.js';
export * from './kinds/index.js';
export { sharingPicture } from './picture.js';
export { useOf, type WeightRole, type WeightUse } from './plan-use.js';
export { type FrozenValues, resolveSharing, type SharedWeight, type Sharing } from './resolve.js';
export type {
  Definition,
  FirstValues,
  KindRule,
  Pretrained,
  SharingRule,
  TieRule,
  WeightSpec,
} from './rule.js';
