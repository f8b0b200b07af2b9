import { largest, worse } from './measure';
import {
  CELL_GRADIENT,
  CELL_SLOT0,
  CELL_SLOT1,
  CELL_SLOT2,
  CELL_WEIGHTS,
  restBytes,
  wholeBytes,
} from './tail';

/**
 * Takes a rule along its range, and returns the largest magnitude of the new weights. The rule is a class
 * without fields, of which there is never an object: AssemblyScript compiles this for each, with the rule in
 * the loop. It has
 *
 *     four(weights, gradient, slot0, slot1, slot2, a, b, c, d, e, f, g): v128
 *
 * which is given four weights, their gradients, where their slots lie, and its constants in all four lanes;
 * it stores the slots and returns the new weights. What a rule has no use for is 0.
 * @param slots of a weight: 0 to 3, known when this is compiled
 * @param factor the gradient is multiplied by it
 */
// @ts-ignore: decorator
@inline
export function update<Rule>(
  slots: i32,
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  slot1: usize,
  slot2: usize,
  length: usize,
  factor: f32,
  a: f32,
  b: f32 = 0,
  c: f32 = 0,
  d: f32 = 0,
  e: f32 = 0,
  f: f32 = 0,
  g: f32 = 0,
): f32 {
  const factors = f32x4.splat(factor);
  const as = f32x4.splat(a);
  const bs = f32x4.splat(b);
  const cs = f32x4.splat(c);
  const ds = f32x4.splat(d);
  const es = f32x4.splat(e);
  const fs = f32x4.splat(f);
  const gs = f32x4.splat(g);
  let worst = i32x4.splat(0);
  const end = weights + wholeBytes(length);
  // Unrolled: V8 does not do it, and addresses are a good part of the loop.
  const unrolledEnd = weights + ((length >> 4) << 6);
  while (weights < unrolledEnd) {
    worst = four<Rule>(
      worst, target, weights, gradient, slot0, slot1, slot2,
      factors, as, bs, cs, ds, es, fs, gs, 0,
    );
    worst = four<Rule>(
      worst, target, weights, gradient, slot0, slot1, slot2,
      factors, as, bs, cs, ds, es, fs, gs, 16,
    );
    worst = four<Rule>(
      worst, target, weights, gradient, slot0, slot1, slot2,
      factors, as, bs, cs, ds, es, fs, gs, 32,
    );
    worst = four<Rule>(
      worst, target, weights, gradient, slot0, slot1, slot2,
      factors, as, bs, cs, ds, es, fs, gs, 48,
    );
    target += 64;
    weights += 64;
    gradient += 64;
    if (slots > 0) slot0 += 64;
    if (slots > 1) slot1 += 64;
    if (slots > 2) slot2 += 64;
  }
  while (weights < end) {
    worst = four<Rule>(
      worst, target, weights, gradient, slot0, slot1, slot2,
      factors, as, bs, cs, ds, es, fs, gs, 0,
    );
    target += 16;
    weights += 16;
    gradient += 16;
    if (slots > 0) slot0 += 16;
    if (slots > 1) slot1 += 16;
    if (slots > 2) slot2 += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_WEIGHTS, weights, rest);
    memory.copy(CELL_GRADIENT, gradient, rest);
    if (slots > 0) memory.copy(CELL_SLOT0, slot0, rest);
    if (slots > 1) memory.copy(CELL_SLOT1, slot1, rest);
    if (slots > 2) memory.copy(CELL_SLOT2, slot2, rest);
    // What lies in a cell beside the rest counts for nothing.
    four<Rule>(
      worst, CELL_WEIGHTS, CELL_WEIGHTS, CELL_GRADIENT, CELL_SLOT0, CELL_SLOT1, CELL_SLOT2,
      factors, as, bs, cs, ds, es, fs, gs, 0,
    );
    memory.copy(target, CELL_WEIGHTS, rest);
    if (slots > 0) memory.copy(slot0, CELL_SLOT0, rest);
    if (slots > 1) memory.copy(slot1, CELL_SLOT1, rest);
    if (slots > 2) memory.copy(slot2, CELL_SLOT2, rest);
  }
  return largest(worst, target + rest, rest);
}

/** Four elements, `at` bytes from where the others are. */
// @ts-ignore: decorator
@inline
function four<Rule>(
  worst: v128,
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  slot1: usize,
  slot2: usize,
  factors: v128,
  as: v128,
  bs: v128,
  cs: v128,
  ds: v128,
  es: v128,
  fs: v128,
  gs: v128,
  at: usize,
): v128 {
  const means = f32x4.mul(v128.load(gradient + at), factors);
  const next = changetype<Rule>(0).four(
    v128.load(weights + at), means, slot0 + at, slot1 + at, slot2 + at,
    as, bs, cs, ds, es, fs, gs,
  );
  v128.store(target + at, next);
  return worse(worst, next);
}
