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
): v128 {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  const m = orZero(f32x4.add(f32x4.mul(v128.load(slot0), keep1), f32x4.mul(g, take1)));
  const v = f32x4.add(f32x4.mul(v128.load(slot1), keep2), f32x4.mul(squares(g), take2));
  v128.store(slot0, m);
  v128.store(slot1, v);
  const direction = f32x4.div(m, f32x4.add(f32x4.sqrt(v), small));
  const next = f32x4.sub(w, f32x4.mul(direction, rate));
  v128.store(target, next);
  return next;
}

/**
 * m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
 * w -= rate * m / (sqrt(v) + epsilon).
 * Kingma & Ba 2015, in the form at the end of their section 2, which needs one division: the
 * caller folds the bias corrections c1, c2 into rate = learningRate * sqrt(c2) / c1 and
 * epsilon = e * sqrt(c2), so the last line is learningRate * (m / c1) / (sqrt(v / c2) + e).
 */
export function adam(
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
): f32 {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(rate);
  const keep1s = f32x4.splat(beta1);
  const take1s = f32x4.splat(beta1Rest);
  const keep2s = f32x4.splat(beta2);
  const take2s = f32x4.splat(beta2Rest);
  const smalls = f32x4.splat(epsilon);
  let worst = i32x4.splat(0);
  const end = weights + wholeBytes(length);
  // Unrolled: V8 does not do it, and addresses are a good part of the loop.
  const unrolledEnd = weights + ((length >> 4) << 6);
  while (weights < unrolledEnd) {
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
      ),
    );
    worst = worse(
      worst,
      four(
        target + 16,
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
      ),
    );
    worst = worse(
      worst,
      four(
        target + 32,
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
      ),
    );
    worst = worse(
      worst,
      four(
        target + 48,
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
      ),
    );
    target += 64;
    weights += 64;
    gradient += 64;
    slot0 += 64;
    slot1 += 64;
  }
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
    );
    memory.copy(target, CELL_WEIGHTS, rest);
    memory.copy(slot0, CELL_SLOT0, rest);
    memory.copy(slot1, CELL_SLOT1, rest);
  }
  return largest(worst, target + rest, rest);
}
