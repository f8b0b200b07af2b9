import { CELL_GRADIENT, restBytes, wholeBytes } from './tail';

/**
 * The largest magnitude. Without its sign bit, a float's pattern orders like its value, infinity
 * above all numbers and NaN above infinity: so the integer maximum finds the worst element.
 */
export function maxAbs(values: usize, length: usize): f32 {
  const magnitude = i32x4.splat(0x7fffffff);
  let first = i32x4.splat(0);
  let second = i32x4.splat(0);
  const end = values + ((length >> 3) << 5);
  while (values < end) {
    first = i32x4.max_s(first, v128.and(v128.load(values), magnitude));
    second = i32x4.max_s(second, v128.and(v128.load(values, 16), magnitude));
    values += 32;
  }
  first = i32x4.max_s(first, second);
  let largest = max(
    max(i32x4.extract_lane(first, 0), i32x4.extract_lane(first, 1)),
    max(i32x4.extract_lane(first, 2), i32x4.extract_lane(first, 3)),
  );
  const last = values + ((length & 7) << 2);
  while (values < last) {
    largest = max(largest, load<i32>(values) & 0x7fffffff);
    values += 4;
  }
  return reinterpret<f32>(largest);
}

/**
 * The sum of squares in float64: element i goes to accumulator i mod 4, in rising order, and the
 * result is (a0 + a1) + (a2 + a3).
 */
export function sumOfSquares(values: usize, length: usize): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const rest = restBytes(length);
  const end = values + wholeBytes(length);
  while (values < end) {
    const four = v128.load(values);
    const a = f64x2.promote_low_f32x4(four);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(four, four, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
    values += 16;
  }
  if (rest > 0) {
    // Adding the square of zero changes no accumulator.
    v128.store(CELL_GRADIENT, i32x4.splat(0));
    memory.copy(CELL_GRADIENT, values, rest);
    const four = v128.load(CELL_GRADIENT);
    const a = f64x2.promote_low_f32x4(four);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(four, four, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  return (
    f64x2.extract_lane(low, 0) +
    f64x2.extract_lane(low, 1) +
    (f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1))
  );
}
