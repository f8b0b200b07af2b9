import { atLeastTiny, orZero } from './tiny';
import { update } from './update';

class Adamax {
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
    small: v128,
    _f: v128,
    _g: v128,
  ): v128 {
    const m = orZero(f32x4.add(f32x4.mul(v128.load(slot0), keep1), f32x4.mul(g, take1)));
    v128.store(slot0, m);
    const u = f32x4.pmax(atLeastTiny(g), f32x4.mul(v128.load(slot1), keep2));
    v128.store(slot1, u);
    return f32x4.sub(w, f32x4.mul(rate, f32x4.div(m, f32x4.add(u, small))));
  }
}

/**
 * m = beta1 * m + (1 - beta1) * g; u = max(beta2 * u, |g|); w -= rate * m / (u + epsilon), with
 * rate = learningRate / (1 - beta1^t). Kingma & Ba 2015, section 7.1; epsilon as in tfjs-core's
 * AdamaxOptimizer.
 */
export function adamax(
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
  epsilon: f32,
): f32 {
  return update<Adamax>(
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
    epsilon,
  );
}
