import { orZero } from './tiny';
import { update } from './update';

class Nesterov {
  // @ts-ignore: decorator
  @inline
  four(
    w: v128,
    g: v128,
    slot0: usize,
    _slot1: usize,
    _slot2: usize,
    rate: v128,
    moment: v128,
    _c: v128,
    _d: v128,
    _e: v128,
    _f: v128,
    _g: v128,
  ): v128 {
    const v = orZero(f32x4.add(f32x4.mul(moment, v128.load(slot0)), g));
    v128.store(slot0, v);
    const ahead = f32x4.add(g, f32x4.mul(v, moment));
    return f32x4.sub(w, f32x4.mul(rate, ahead));
  }
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
  return update<Nesterov>(
    1,
    target,
    weights,
    gradient,
    slot0,
    0,
    0,
    length,
    factor,
    learningRate,
    momentum,
  );
}
