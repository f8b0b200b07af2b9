import { largest, worse } from './measure';
import { CELL_GRADIENT, CELL_SLOT0, CELL_WEIGHTS, restBytes, wholeBytes } from './tail';
import { squares } from './tiny';

// @ts-ignore: decorator
@inline
function four(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  factor: v128,
  rate: v128,
  small: v128,
): v128 {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  const a = f32x4.add(v128.load(slot0), squares(g));
  v128.store(slot0, a);
  const direction = f32x4.div(g, f32x4.sqrt(f32x4.add(a, small)));
  const next = f32x4.sub(w, f32x4.mul(rate, direction));
  v128.store(target, next);
  return next;
}

/**
 * a += g^2; w -= learningRate * g / sqrt(a + epsilon).
 * Duchi, Hazan & Singer 2011; epsilon inside the root, as in tfjs-core's AdagradOptimizer.
 */
export function adagrad(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
  epsilon: f32,
): f32 {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(learningRate);
  const smalls = f32x4.splat(epsilon);
  let worst = i32x4.splat(0);
  const end = weights + wholeBytes(length);
  while (weights < end) {
    worst = worse(worst, four(target, weights, gradient, slot0, factors, rates, smalls));
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
    four(CELL_WEIGHTS, CELL_WEIGHTS, CELL_GRADIENT, CELL_SLOT0, factors, rates, smalls);
    memory.copy(target, CELL_WEIGHTS, rest);
    memory.copy(slot0, CELL_SLOT0, rest);
  }
  return largest(worst, target + rest, rest);
}
