import { orZero, squares } from './tiny';
import { update } from './update';

class AdamW {
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
    shrink: v128,
  ): v128 {
    const m = orZero(f32x4.add(f32x4.mul(v128.load(slot0), keep1), f32x4.mul(g, take1)));
    const v = f32x4.add(f32x4.mul(v128.load(slot1), keep2), f32x4.mul(squares(g), take2));
    v128.store(slot0, m);
    v128.store(slot1, v);
    const direction = f32x4.div(m, f32x4.add(f32x4.sqrt(v), small));
    const change = f32x4.add(f32x4.mul(direction, rate), orZero(f32x4.mul(shrink, w)));
    return f32x4.sub(w, change);
  }
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
  return update<AdamW>(
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
    shrink,
  );
}
