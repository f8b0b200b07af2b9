import { squares } from './tiny';
import { update } from './update';

class Adagrad {
  // @ts-ignore: decorator
  @inline
  four(
    w: v128,
    g: v128,
    slot0: usize,
    _slot1: usize,
    _slot2: usize,
    rate: v128,
    small: v128,
    _c: v128,
    _d: v128,
    _e: v128,
    _f: v128,
    _g: v128,
  ): v128 {
    const a = f32x4.add(v128.load(slot0), squares(g));
    v128.store(slot0, a);
    const direction = f32x4.div(g, f32x4.sqrt(f32x4.add(a, small)));
    return f32x4.sub(w, f32x4.mul(rate, direction));
  }
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
  return update<Adagrad>(
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
    epsilon,
  );
}
