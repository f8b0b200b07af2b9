import { largest, worse } from './measure';
import { CELL_GRADIENT, CELL_WEIGHTS, restBytes, wholeBytes } from './tail';

// @ts-ignore: decorator
@inline
function four(
  target: usize,
  weights: usize,
  gradient: usize,
  factor: v128,
  rate: v128,
): v128 {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  const next = f32x4.sub(w, f32x4.mul(rate, g));
  v128.store(target, next);
  return next;
}

/** w -= learningRate * g. */
export function sgd(
  target: usize,
  weights: usize,
  gradient: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
): f32 {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(learningRate);
  let worst = i32x4.splat(0);
  const end = weights + wholeBytes(length);
  while (weights < end) {
    worst = worse(worst, four(target, weights, gradient, factors, rates));
    target += 16;
    weights += 16;
    gradient += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_WEIGHTS, weights, rest);
    memory.copy(CELL_GRADIENT, gradient, rest);
    four(CELL_WEIGHTS, CELL_WEIGHTS, CELL_GRADIENT, factors, rates);
    memory.copy(target, CELL_WEIGHTS, rest);
  }
  return largest(worst, target + rest, rest);
}
