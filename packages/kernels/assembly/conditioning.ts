import { largest, worse } from './measure';
import { CELL_GRADIENT, CELL_WEIGHTS, restBytes, wholeBytes } from './tail';
import { orZero } from './tiny';

/** target = sum / divisor. Returns the largest magnitude of what it made. */
export function divide(target: usize, sum: usize, length: usize, divisor: f32): f32 {
  const divisors = f32x4.splat(divisor);
  let worst = i32x4.splat(0);
  const end = target + wholeBytes(length);
  while (target < end) {
    const quotients = f32x4.div(v128.load(sum), divisors);
    v128.store(target, quotients);
    worst = worse(worst, quotients);
    target += 16;
    sum += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_GRADIENT, sum, rest);
    v128.store(CELL_GRADIENT, f32x4.div(v128.load(CELL_GRADIENT), divisors));
    memory.copy(target, CELL_GRADIENT, rest);
  }
  return largest(worst, target + rest, rest);
}

/** target += weightDecay * weights: the gradient of L2 regularisation. */
export function decay(target: usize, weights: usize, length: usize, weightDecay: f32): void {
  const factors = f32x4.splat(weightDecay);
  const end = target + wholeBytes(length);
  while (target < end) {
    const product = orZero(f32x4.mul(factors, v128.load(weights)));
    v128.store(target, f32x4.add(v128.load(target), product));
    target += 16;
    weights += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_GRADIENT, target, rest);
    memory.copy(CELL_WEIGHTS, weights, rest);
    const product = orZero(f32x4.mul(factors, v128.load(CELL_WEIGHTS)));
    v128.store(CELL_GRADIENT, f32x4.add(v128.load(CELL_GRADIENT), product));
    memory.copy(target, CELL_GRADIENT, rest);
  }
}

/** target = target * scale, limited to [-clipValue, clipValue]; NaN stays NaN. */
export function limit(target: usize, length: usize, scale: f32, clipValue: f32): void {
  const scales = f32x4.splat(scale);
  const low = f32x4.splat(-clipValue);
  const high = f32x4.splat(clipValue);
  const end = target + wholeBytes(length);
  while (target < end) {
    v128.store(target, limited(v128.load(target), scales, low, high));
    target += 16;
  }
  const rest = restBytes(length);
  if (rest > 0) {
    memory.copy(CELL_GRADIENT, target, rest);
    v128.store(CELL_GRADIENT, limited(v128.load(CELL_GRADIENT), scales, low, high));
    memory.copy(target, CELL_GRADIENT, rest);
  }
}

// @ts-ignore: decorator
@inline
function limited(gradient: v128, scale: v128, low: v128, high: v128): v128 {
  // pmax and pmin keep a NaN that is their first operand, and are one instruction each.
  return f32x4.pmin(f32x4.pmax(f32x4.mul(gradient, scale), low), high);
}
