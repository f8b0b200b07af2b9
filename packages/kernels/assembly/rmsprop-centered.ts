import { orZero, squares } from './tiny';
import { update } from './update';

class RmsPropCentered {
  // @ts-ignore: decorator
  @inline
  four(
    w: v128,
    g: v128,
    slot0: usize,
    slot1: usize,
    slot2: usize,
    rate: v128,
    keep: v128,
    take: v128,
    moment: v128,
    small: v128,
    _f: v128,
    _g: v128,
  ): v128 {
    const s = f32x4.add(f32x4.mul(v128.load(slot0), keep), f32x4.mul(squares(g), take));
    v128.store(slot0, s);
    const a = orZero(f32x4.add(f32x4.mul(v128.load(slot2), keep), f32x4.mul(g, take)));
    v128.store(slot2, a);
    const variance = f32x4.sub(s, f32x4.add(squares(a), small));
    const direction = f32x4.div(f32x4.mul(g, rate), f32x4.sqrt(f32x4.pmax(variance, small)));
    const v = orZero(f32x4.add(f32x4.mul(v128.load(slot1), moment), direction));
    v128.store(slot1, v);
    return f32x4.sub(w, v);
  }
}

/**
 * As `rmsprop`, with the variance in place of the mean square: a = decay * a + (1 - decay) * g
 * (Graves 2013, eq. 38 to 41), under the root s - (a^2 + epsilon), as tfjs-core's RMSPropOptimizer
 * has it. That is negative, and tfjs' weights NaN, where a gradient hardly varies (one that is 0,
 * for instance); so the root is taken of at least epsilon.
 */
export function rmspropCentered(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  slot1: usize,
  slot2: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
  decay: f32,
  decayRest: f32,
  momentum: f32,
  epsilon: f32,
): f32 {
  return update<RmsPropCentered>(
    3,
    target,
    weights,
    gradient,
    slot0,
    slot1,
    slot2,
    length,
    factor,
    learningRate,
    decay,
    decayRest,
    momentum,
    epsilon,
  );
}
