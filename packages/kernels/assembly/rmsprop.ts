import { orZero, squares } from './tiny';
import { update } from './update';

class RmsProp {
  // @ts-ignore: decorator
  @inline
  four(
    w: v128,
    g: v128,
    slot0: usize,
    slot1: usize,
    _slot2: usize,
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
    const direction = f32x4.div(f32x4.mul(g, rate), f32x4.sqrt(f32x4.add(s, small)));
    const v = orZero(f32x4.add(f32x4.mul(v128.load(slot1), moment), direction));
    v128.store(slot1, v);
    return f32x4.sub(w, v);
  }
}

/**
 * s = decay * s + (1 - decay) * g^2; v = momentum * v + learningRate * g / sqrt(s + epsilon);
 * w -= v. Tieleman & Hinton 2012; epsilon inside the root, as in tfjs-core's RMSPropOptimizer.
 */
export function rmsprop(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  slot1: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
  decay: f32,
  decayRest: f32,
  momentum: f32,
  epsilon: f32,
): f32 {
  return update<RmsProp>(
    2,
    target,
    weights,
    gradient,
    slot0,
    slot1,
    0,
    length,
    factor,
    learningRate,
    decay,
    decayRest,
    momentum,
    epsilon,
  );
}
