import { SCRATCH } from './tail';

/** Elements that share a scale, and a format on the wire. */
export const GROUP: usize = 256;
const GROUP_BYTES: usize = 1024;

// @ts-ignore: decorator
@inline
export function powerOfTwo(exponent: i32): f32 {
  return reinterpret<f32>((exponent + 127) << 23);
}

/** The bit patterns of all magnitudes order like the values: that of the largest. */
export function largestOf(values: usize): i32 {
  const magnitude = i32x4.splat(0x7fffffff);
  let most = i32x4.splat(0);
  for (const end = values + GROUP_BYTES; values < end; values += 16)
    most = i32x4.max_s(most, v128.and(v128.load(values), magnitude));
  return max(
    max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
}

/** To bfloat16, ties to even; what is too large becomes the largest. */
function bf16(values: usize): void {
  const magnitude = i32x4.splat(0x7fffffff);
  for (const end = values + GROUP_BYTES; values < end; values += 16) {
    const x = v128.load(values);
    const m = v128.and(x, magnitude);
    const odd = v128.and(i32x4.shr_u(m, 16), i32x4.splat(1));
    const up = i32x4.add(m, i32x4.add(odd, i32x4.splat(0x7fff)));
    const rounded = i32x4.min_s(v128.and(up, i32x4.splat(0xffff0000)), i32x4.splat(0x7f7f0000));
    v128.store(values, v128.or(rounded, v128.andnot(x, magnitude)));
  }
}

/** To binary16, ties to even, also below 2^-14 (multiples of 2^-24); what is too large becomes 65,504. */
function fp16(values: usize): void {
  const magnitude = i32x4.splat(0x7fffffff);
  const half = f32x4.splat(0.5);
  for (const end = values + GROUP_BYTES; values < end; values += 16) {
    const x = v128.load(values);
    const m = v128.and(x, magnitude);
    const odd = v128.and(i32x4.shr_u(m, 13), i32x4.splat(1));
    const up = i32x4.add(m, i32x4.add(odd, i32x4.splat(0xfff)));
    const normal = i32x4.min_s(v128.and(up, i32x4.splat(0xffffe000)), i32x4.splat(0x477fe000));
    // The last bit of 0.5 is 2^-24.
    const small = f32x4.sub(f32x4.add(m, half), half);
    const rounded = v128.bitselect(small, normal, i32x4.lt_s(m, i32x4.splat(0x38800000)));
    v128.store(values, v128.or(rounded, v128.andnot(x, magnitude)));
  }
}

/**
 * To a whole number from -127 to 127 times a power of two, up or down by chance so that the expectation
 * is the value: floor(x / scale + u), u of 16 bits. The chance is a hash of key and position
 * (Wellons' lowbias32), so it does not matter who rounds, when, or in which order.
 */
function int8(values: usize, key: i32, position: i32): void {
  const largest = largestOf(values);
  if (largest == 0) {
    memory.fill(values, 0, GROUP_BYTES);
    return;
  }
  let exponent = max((largest >> 23) - 127 - 6, -119);
  if (reinterpret<f32>(largest) * powerOfTwo(-exponent) > 127) exponent++;
  const inverse = f32x4.splat(powerOfTwo(-exponent));
  const scale = f32x4.splat(powerOfTwo(exponent));
  const unit = f32x4.splat(powerOfTwo(-16));
  const keys = i32x4.splat(key);
  let positions = i32x4.add(i32x4.splat(position), i32x4(0, 1, 2, 3));
  for (const end = values + GROUP_BYTES; values < end; values += 16) {
    let h = i32x4.add(i32x4.mul(positions, i32x4.splat(0x9e3779b1)), keys);
    h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x7feb352d));
    h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(0x846ca68b));
    const chance = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(v128.xor(h, i32x4.shr_u(h, 16)), 16)), unit);
    const whole = f32x4.floor(f32x4.add(f32x4.mul(v128.load(values), inverse), chance));
    v128.store(values, f32x4.mul(whole, scale));
    positions = i32x4.add(positions, i32x4.splat(4));
  }
}

function group(values: usize, format: i32, key: i32, position: i32): void {
  if (format == 0) bf16(values);
  else if (format == 1) fp16(values);
  else int8(values, key, position);
}

/** Rounds `length` elements in place, group by group. Format: 0 bf16, 1 fp16, 2 int8. */
export function round(values: usize, length: usize, format: i32, key: i32, position: i32): void {
  for (; length >= GROUP; length -= GROUP) {
    group(values, format, key, position);
    values += GROUP_BYTES;
    position += <i32>GROUP;
  }
  if (length == 0) return;
  memory.fill(SCRATCH, 0, GROUP_BYTES);
  memory.copy(SCRATCH, values, length << 2);
  group(SCRATCH, format, key, position);
  memory.copy(values, SCRATCH, length << 2);
}
