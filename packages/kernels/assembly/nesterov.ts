import { CELL_GRADIENT, CELL_SLOT0, CELL_WEIGHTS, restBytes, wholeBytes } from './tail';

// @ts-ignore: decorator
@inline
function four(
  weights: usize,
  gradient: usize,
  slot0: usize,
  factor: v128,
  rate: v128,
  moment: v128,
): void {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  const v = f32x4.add(f32x4.mul(moment, v128.load(slot0)), g);
  v128.store(slot0, v);
  const ahead = f32x4.add(g, f32x4.mul(v, moment));
  v128.store(weights, f32x4.sub(w, f32x4.mul(rate, ahead)));
}

/**
 * v = momentum * v + g; w -= learningRate * (g + momentum * v).
 * Sutskever et al. 2013, as tfjs-core's MomentumOptimizer with useNesterov.
 */
export function nesterov(
  weights: usize,
  gradient: usize,
  slot0: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
  momentum: f32,
): void {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(learningRate);
  const moments = f32x4.splat(momentum);
  const end = weights + wholeBytes(length);
  while (weights < end) {
    four(weights, gradient, slot0, factors, rates, moments);
    weights += 16;
    gradient += 16;
    slot0 += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_WEIGHTS, weights, rest);
    memory.copy(CELL_GRADIENT, gradient, rest);
    memory.copy(CELL_SLOT0, slot0, rest);
    four(CELL_WEIGHTS, CELL_GRADIENT, CELL_SLOT0, factors, rates, moments);
    memory.copy(weights, CELL_WEIGHTS, rest);
    memory.copy(slot0, CELL_SLOT0, rest);
  }
}
