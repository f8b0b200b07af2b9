import { gather } from './gather.js';
import type { PartKind } from './part.js';
import { concat, slice, transpose } from './places.js';
import { kronecker, matmul, scale } from './products.js';
import { shear } from './shear.js';
import { add, sum } from './sums.js';
import { triangle } from './triangle.js';

/** What writers call the kinds of parts that are computed, in the order of their numbers in the file, which begin at 1. */
export const PART_KINDS = {
  gather,
  shear,
  matmul,
  kronecker,
  add,
  scale,
  sum,
  transpose,
  slice,
  concat,
  triangle,
} as const satisfies Readonly<Record<string, PartKind>>;
