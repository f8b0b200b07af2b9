import { largest, worse } from './measure';
import { CELL_GRADIENT, CELL_SLOT0, CELL_SLOT1, CELL_WEIGHTS, restBytes, wholeBytes } from './tail';
import { orZero, squares } from './tiny';

// @ts-ignore: decorator
@inline
function four(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  slot1: usize,
  factor: v128,
  rate: v128,
  keep1: v128,
  take1: v128,
  keep2: v128,
  take2: v128,
  small: v128,
  shrink: v128,
): v128 {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  const m = orZero(f32x4.add(f32x4.mul(v128.load(slot0), keep1), f32x4.mul(g, take1)));
  const v = f32x4.add(f32x4.mul(v128.load(slot1), keep2), f32x4.mul(squares(g), take2));
  v128.store(slot0, m);
  v128.store(slot1, v);
  const direction = f32x4.div(m, f32x4.add(f32x4.sqrt(v), small));
  const change = f32x4.add(f32x4.mul(direction, rate), orZero(f32x4.mul(shrink, w)));
  const next = f32x4.sub(w, change);
  v128.store(target, next);
  return next;
}

/**
 * As `adam`, and decoupled decay in the same rounding: w -= rate * m / (sqrt(v) + epsilon) +
 * shrink * w, where shrink = learningRate * weightDecay (Loshchilov & Hutter 2019, algorithm 2).
 */
export function adamw(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  slot1: usize,
  length: usize,
  factor: f32,
  rate: f32,
  beta1: f32,
  beta1Rest: f32,
  beta2: f32,
  beta2Rest: f32,
  epsilon: f32,
  shrink: f32,
): f32 {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(rate);
  const keep1s = f32x4.splat(beta1);
  const take1s = f32x4.splat(beta1Rest);
  const keep2s = f32x4.splat(beta2);
  const take2s = f32x4.splat(beta2Rest);
  const smalls = f32x4.splat(epsilon);
  const shrinks = f32x4.splat(shrink);
  let worst = i32x4.splat(0);
  const end = weights + wholeBytes(length);
  while (weights < end) {
    worst = worse(
      worst,
      four(
        target,
        weights,
        gradient,
        slot0,
        slot1,
        factors,
        rates,
        keep1s,
        take1s,
        keep2s,
        take2s,
        smalls,
        shrinks,
      ),
    );
    target += 16;
    weights += 16;
    gradient += 16;
    slot0 += 16;
    slot1 += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_WEIGHTS, weights, rest);
    memory.copy(CELL_GRADIENT, gradient, rest);
    memory.copy(CELL_SLOT0, slot0, rest);
    memory.copy(CELL_SLOT1, slot1, rest);
    four(
      CELL_WEIGHTS,
      CELL_WEIGHTS,
      CELL_GRADIENT,
      CELL_SLOT0,
      CELL_SLOT1,
      factors,
      rates,
      keep1s,
      take1s,
      keep2s,
      take2s,
      smalls,
      shrinks,
    );
    memory.copy(target, CELL_WEIGHTS, rest);
    memory.copy(slot0, CELL_SLOT0, rest);
    memory.copy(slot1, CELL_SLOT1, rest);
  }
  return largest(worst, target + rest, rest);
}
