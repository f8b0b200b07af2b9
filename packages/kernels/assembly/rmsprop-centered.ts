import { largest, worse } from './measure';
import {
  CELL_GRADIENT,
  CELL_SLOT0,
  CELL_SLOT1,
  CELL_SLOT2,
  CELL_WEIGHTS,
  restBytes,
  wholeBytes,
} from './tail';
import { orZero, squares } from './tiny';

// @ts-ignore: decorator
@inline
function four(
  target: usize,
  weights: usize,
  gradient: usize,
  slot0: usize,
  slot1: usize,
  slot2: usize,
  factor: v128,
  rate: v128,
  keep: v128,
  take: v128,
  moment: v128,
  small: v128,
): v128 {
  const w = v128.load(weights);
  const g = f32x4.mul(v128.load(gradient), factor);
  const s = f32x4.add(f32x4.mul(v128.load(slot0), keep), f32x4.mul(squares(g), take));
  v128.store(slot0, s);
  const a = orZero(f32x4.add(f32x4.mul(v128.load(slot2), keep), f32x4.mul(g, take)));
  v128.store(slot2, a);
  const variance = f32x4.sub(s, f32x4.add(squares(a), small));
  const direction = f32x4.div(f32x4.mul(g, rate), f32x4.sqrt(f32x4.pmax(variance, small)));
  const v = orZero(f32x4.add(f32x4.mul(v128.load(slot1), moment), direction));
  v128.store(slot1, v);
  const next = f32x4.sub(w, v);
  v128.store(target, next);
  return next;
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
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(learningRate);
  const keeps = f32x4.splat(decay);
  const takes = f32x4.splat(decayRest);
  const moments = f32x4.splat(momentum);
  const smalls = f32x4.splat(epsilon);
  let worst = i32x4.splat(0);
  const end = weights + wholeBytes(length);
  while (weights < end) {
    worst = worse(
      worst,
      four(
        target,
        weights,
        gradient,
        slot0,
        slot1,
        slot2,
        factors,
        rates,
        keeps,
        takes,
        moments,
        smalls,
      ),
    );
    target += 16;
    weights += 16;
    gradient += 16;
    slot0 += 16;
    slot1 += 16;
    slot2 += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_WEIGHTS, weights, rest);
    memory.copy(CELL_GRADIENT, gradient, rest);
    memory.copy(CELL_SLOT0, slot0, rest);
    memory.copy(CELL_SLOT1, slot1, rest);
    memory.copy(CELL_SLOT2, slot2, rest);
    four(
      CELL_WEIGHTS,
      CELL_WEIGHTS,
      CELL_GRADIENT,
      CELL_SLOT0,
      CELL_SLOT1,
      CELL_SLOT2,
      factors,
      rates,
      keeps,
      takes,
      moments,
      smalls,
    );
    memory.copy(target, CELL_WEIGHTS, rest);
    memory.copy(slot0, CELL_SLOT0, rest);
    memory.copy(slot1, CELL_SLOT1, rest);
    memory.copy(slot2, CELL_SLOT2, rest);
  }
  return largest(worst, target + rest, rest);
}
