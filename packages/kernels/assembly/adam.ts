import { CELL_GRADIENT, CELL_SLOT0, CELL_SLOT1, CELL_WEIGHTS, restBytes, wholeBytes } from './tail';

// @ts-ignore: decorator
@inline
function four(
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
): void {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  const m = f32x4.add(f32x4.mul(v128.load(slot0), keep1), f32x4.mul(g, take1));
  const v = f32x4.add(f32x4.mul(v128.load(slot1), keep2), f32x4.mul(f32x4.mul(g, g), take2));
  v128.store(slot0, m);
  v128.store(slot1, v);
  const direction = f32x4.div(m, f32x4.add(f32x4.sqrt(v), small));
  v128.store(weights, f32x4.sub(w, f32x4.mul(direction, rate)));
}

/**
 * m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
 * w -= rate * m / (sqrt(v) + epsilon).
 * Kingma & Ba 2015, in the form at the end of their section 2, which needs one division: the
 * caller folds the bias corrections c1, c2 into rate = learningRate * sqrt(c2) / c1 and
 * epsilon = e * sqrt(c2), so the last line is learningRate * (m / c1) / (sqrt(v / c2) + e).
 */
export function adam(
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
): void {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(rate);
  const keep1s = f32x4.splat(beta1);
  const take1s = f32x4.splat(beta1Rest);
  const keep2s = f32x4.splat(beta2);
  const take2s = f32x4.splat(beta2Rest);
  const smalls = f32x4.splat(epsilon);
  const end = weights + wholeBytes(length);
  // Unrolled: V8 does not do it, and addresses are a good part of the loop.
  const unrolledEnd = weights + ((length >> 4) << 6);
  while (weights < unrolledEnd) {
    four(weights, gradient, slot0, slot1, factors, rates, keep1s, take1s, keep2s, take2s, smalls);
    four(
      weights + 16,
      gradient + 16,
      slot0 + 16,
      slot1 + 16,
      factors,
      rates,
      keep1s,
      take1s,
      keep2s,
      take2s,
      smalls,
    );
    four(
      weights + 32,
      gradient + 32,
      slot0 + 32,
      slot1 + 32,
      factors,
      rates,
      keep1s,
      take1s,
      keep2s,
      take2s,
      smalls,
    );
    four(
      weights + 48,
      gradient + 48,
      slot0 + 48,
      slot1 + 48,
      factors,
      rates,
      keep1s,
      take1s,
      keep2s,
      take2s,
      smalls,
    );
    weights += 64;
    gradient += 64;
    slot0 += 64;
    slot1 += 64;
  }
  while (weights < end) {
    four(weights, gradient, slot0, slot1, factors, rates, keep1s, take1s, keep2s, take2s, smalls);
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
    );
    memory.copy(weights, CELL_WEIGHTS, rest);
    memory.copy(slot0, CELL_SLOT0, rest);
    memory.copy(slot1, CELL_SLOT1, rest);
  }
}
