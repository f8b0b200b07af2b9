import { CELL_GRADIENT, CELL_WEIGHTS, restBytes, wholeBytes } from './tail';

// @ts-ignore: decorator
@inline
function four(
  weights: usize,
  gradient: usize,
  factor: v128,
  rate: v128,
): void {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  v128.store(weights, f32x4.sub(w, f32x4.mul(rate, g)));
}

/** w -= learningRate * g. */
export function sgd(
  weights: usize,
  gradient: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
): void {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(learningRate);
  const end = weights + wholeBytes(length);
  while (weights < end) {
    four(weights, gradient, factors, rates);
    weights += 16;
    gradient += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_WEIGHTS, weights, rest);
    memory.copy(CELL_GRADIENT, gradient, rest);
    four(CELL_WEIGHTS, CELL_GRADIENT, factors, rates);
    memory.copy(weights, CELL_WEIGHTS, rest);
  }
}
