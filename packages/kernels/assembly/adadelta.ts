import { squares } from './tiny';
import { update } from './update';

class Adadelta {
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
    small: v128,
    _e: v128,
    _f: v128,
    _g: v128,
  ): v128 {
    const a = v128.load(slot0);
    const d = v128.load(slot1);
    const ratio = f32x4.div(f32x4.sqrt(f32x4.add(d, small)), f32x4.sqrt(f32x4.add(a, small)));
    const u = f32x4.mul(ratio, g);
    v128.store(slot0, f32x4.add(f32x4.mul(a, keep), f32x4.mul(squares(g), take)));
    v128.store(slot1, f32x4.add(f32x4.mul(d, keep), f32x4.mul(squares(u), take)));
    return f32x4.sub(w, f32x4.mul(u, rate));
  }
}

/**
 * u = g * sqrt(d + epsilon) / sqrt(a + epsilon); a = rho * a + (1 - rho) * g^2;
 * d = rho * d + (1 - rho) * u^2; w -= learningRate * u.
 * Zeiler 2012, but with u from the accumulator before this gradient, as in tfjs-core's
 * AdadeltaOptimizer.
 */
export function adadelta(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  slot1: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
  rho: f32,
  rhoRest: f32,
  epsilon: f32,
): f32 {
  return update<Adadelta>(
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
    rho,
    rhoRest,
    epsilon,
  );
}
