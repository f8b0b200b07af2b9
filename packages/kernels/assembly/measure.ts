import { CELL_GRADIENT, restBytes, wholeBytes } from './tail';

/**
 * The larger magnitude of each lane. Without its sign bit, a float's pattern orders like its value,
 * infinity above all numbers and NaN above infinity: so the integer maximum finds the worst.
 */
// @ts-ignore: decorator
@inline
export function worse(magnitudes: v128, values: v128): v128 {
  return i32x4.max_s(magnitudes, v128.and(values, i32x4.splat(0x7fffffff)));
}

/** The largest of four magnitudes, and of the elements in the `rest` bytes that end at `end`. */
// @ts-ignore: decorator
@inline
export function largest(magnitudes: v128, end: usize, rest: usize): f32 {
  let most = max(
    max(i32x4.extract_lane(magnitudes, 0), i32x4.extract_lane(magnitudes, 1)),
    max(i32x4.extract_lane(magnitudes, 2), i32x4.extract_lane(magnitudes, 3)),
  );
  for (let value = end - rest; value < end; value += 4) {
    most = max(most, load<i32>(value) & 0x7fffffff);
  }
  return reinterpret<f32>(most);
}

/** The largest magnitude: NaN if there is one, else infinity if there is one. */
export function maxAbs(values: usize, length: usize): f32 {
  let first = i32x4.splat(0);
  let second = i32x4.splat(0);
  const end = values + ((length >> 3) << 5);
  while (values < end) {
    first = worse(first, v128.load(values));
    second = worse(second, v128.load(values, 16));
    values += 32;
  }
  const rest = (length & 7) << 2;
  return largest(worse(first, second), values + rest, rest);
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
