/**
 * Processors take up to fifty times as long where a result is below 2^-126 (denormal), and WebAssembly cannot
 * have them take it for zero. A moment of a weight that has no gradient any more gets there: 0.9^830. So does a
 * weight that only decays. From 2^-100 on, a product with a decay or a rate is large enough.
 */
const TINY: i32 = (127 - 100) << 23;
const MAGNITUDE: i32 = 0x7fffffff;

/** `values`, zero where smaller than 2^-100. What is not a number stays. */
// @ts-ignore: decorator
@inline
export function orZero(values: v128): v128 {
  // Without its sign bit, a float's pattern orders like its value.
  const magnitudes = v128.and(values, i32x4.splat(MAGNITUDE));
  return v128.and(values, i32x4.gt_s(magnitudes, i32x4.splat(TINY - 1)));
}

/** The magnitudes, at least 2^-100. What is not a number stays. */
// @ts-ignore: decorator
@inline
export function atLeastTiny(values: v128): v128 {
  return f32x4.pmax(f32x4.abs(values), f32x4.splat(2 ** -100));
}

/** The squares, at least 2^-100, so that their means are so, too: nothing beside an epsilon. */
// @ts-ignore: decorator
@inline
export function squares(values: v128): v128 {
  const magnitudes = f32x4.pmax(f32x4.abs(values), f32x4.splat(2 ** -50));
  return f32x4.mul(magnitudes, magnitudes);
}
