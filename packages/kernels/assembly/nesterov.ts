import { largest, worse } from './measure';
import { CELL_GRADIENT, CELL_SLOT0, CELL_WEIGHTS, restBytes, wholeBytes } from './tail';
import { orZero } from './tiny';

// @ts-ignore: decorator
@inline
function four(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  factor: v128,
  rate: v128,
  moment: v128,
): v128 {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  const v = orZero(f32x4.add(f32x4.mul(moment, v128.load(slot0)), g));
  v128.store(slot0, v);
  const ahead = f32x4.add(g, f32x4.mul(v, moment));
  const next = f32x4.sub(w, f32x4.mul(rate, ahead));
  v128.store(target, next);
  return next;
}

/**
 * v = momentum * v + g; w -= learningRate * (g + momentum * v).
 * Sutskever et al. 2013, as tfjs-core's MomentumOptimizer with useNesterov.
 */
export function nesterov(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
  momentum: f32,
): f32 {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(learningRate);
  const moments = f32x4.splat(momentum);
  let worst = i32x4.splat(0);
  const end = weights + wholeBytes(length);
  while (weights < end) {
    worst = worse(worst, four(target, weights, gradient, slot0, factors, rates, moments));
    target += 16;
    weights += 16;
    gradient += 16;
    slot0 += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_WEIGHTS, weights, rest);
    memory.copy(CELL_GRADIENT, gradient, rest);
    memory.copy(CELL_SLOT0, slot0, rest);
    four(CELL_WEIGHTS, CELL_WEIGHTS, CELL_GRADIENT, CELL_SLOT0, factors, rates, moments);
    memory.copy(target, CELL_WEIGHTS, rest);
    memory.copy(slot0, CELL_SLOT0, rest);
  }
  return largest(worst, target + rest, rest);
}
