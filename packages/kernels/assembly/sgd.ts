import { update } from './update';

class Sgd {
  // @ts-ignore: decorator
  @inline
  four(
    w: v128,
    g: v128,
    _slot0: usize,
    _slot1: usize,
    _slot2: usize,
    rate: v128,
    _b: v128,
    _c: v128,
    _d: v128,
    _e: v128,
    _f: v128,
    _g: v128,
  ): v128 {
    return f32x4.sub(w, f32x4.mul(rate, g));
  }
}

/** w -= learningRate * g. */
export function sgd(
  target: usize,
  weights: usize,
  gradient: usize,
  length: usize,
  factor: f32,
  learningRate: f32,
): f32 {
  return update<Sgd>(
    0,
    target,
    weights,
    gradient,
    0,
    0,
    0,
    length,
    factor,
    learningRate,
  );
}
