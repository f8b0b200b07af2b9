import { orZero, squares } from './tiny';
import { update } from './update';

class Adam {
  // @ts-ignore: decorator
  @inline
  four(
    w: v128,
    g: v128,
    slot0: usize,
    slot1: usize,
    _slot2: usize,
    rate: v128,
    keep1: v128,
    take1: v128,
    keep2: v128,
    take2: v128,
    small: v128,
    _g: v128,
  ): v128 {
    const m = orZero(f32x4.add(f32x4.mul(v128.load(slot0), keep1), f32x4.mul(g, take1)));
    const v = f32x4.add(f32x4.mul(v128.load(slot1), keep2), f32x4.mul(squares(g), take2));
    v128.store(slot0, m);
    v128.store(slot1, v);
    const direction = f32x4.div(m, f32x4.add(f32x4.sqrt(v), small));
    return f32x4.sub(w, f32x4.mul(direction, rate));
  }
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
  return update<Adam>(
    2,
    target,
    weights,
    gradient,
    slot0,
    slot1,
    0,
    length,
    factor,
    rate,
    beta1,
    beta1Rest,
    beta2,
    beta2Rest,
    epsilon,
  );
}
