import { GROUP, largestOf, powerOfTwo } from './round';
import { SCRATCH } from './tail';

/**
 * Each group of 256 elements begins with its format and an exponent, one byte each, and is written in
 * the shortest of these that loses no bit. What is missing of the last group counts as 0.
 */
const ZEROS: u8 = 0;
/** Whole numbers times 2^(exponent - 127). */
const INT8: u8 = 1;
const INT16: u8 = 2;
/** The upper half of each. */
const BF16: u8 = 3;
const FP16: u8 = 4;
const FLOAT32: u8 = 5;

const GROUP_BYTES: usize = 1024;
const HEADER: usize = 2;

function packGroup(values: usize, target: usize): usize {
  const end = values + GROUP_BYTES;
  let any = i32x4.splat(0);
  for (let at = values; at < end; at += 16) any = v128.or(any, v128.load(at));
  const bits =
    i32x4.extract_lane(any, 0) |
    i32x4.extract_lane(any, 1) |
    i32x4.extract_lane(any, 2) |
    i32x4.extract_lane(any, 3);
  store<u8>(target, ZEROS);
  store<u8>(target, 0, 1);
  const data = target + HEADER;
  if (bits == 0) return HEADER;

  const field = largestOf(values) >> 23;
  if (field >= 15 && field < 255) {
    const exponent = packWhole(values, data, field - 127 - 14);
    if (exponent >= 0) {
      const narrow = exponent >= 256;
      store<u8>(target, narrow ? INT8 : INT16);
      store<u8>(target, <u8>(exponent & 255), 1);
      return HEADER + (narrow ? GROUP : GROUP * 2);
    }
  }
  if ((bits & 0xffff) == 0) {
    store<u8>(target, BF16);
    for (let at = values, to = data; at < end; at += 32, to += 16)
      v128.store(
        to,
        i16x8.narrow_i32x4_s(i32x4.shr_s(v128.load(at), 16), i32x4.shr_s(v128.load(at, 16), 16)),
      );
    return HEADER + GROUP * 2;
  }
  if ((bits & 0x1fff) == 0 && packFp16(values, data)) {
    store<u8>(target, FP16);
    return HEADER + GROUP * 2;
  }
  store<u8>(target, FLOAT32);
  memory.copy(data, values, GROUP_BYTES);
  return HEADER + GROUP_BYTES;
}

/**
 * As whole numbers times a power of two, if all are.
 * @param least the exponent of the last of 15 bits
 * @returns -1 if not all are; else the exponent + 127, and 256 more if int8 holds them
 */
function packWhole(values: usize, target: usize, least: i32): i32 {
  const end = values + GROUP_BYTES;
  const inverse = f32x4.splat(powerOfTwo(-least));
  const scale = f32x4.splat(powerOfTwo(least));
  let same = i32x4.splat(-1);
  let any = i32x4.splat(0);
  let most = i32x4.splat(0);
  for (let at = values; at < end; at += 16) {
    const x = v128.load(at);
    const whole = i32x4.trunc_sat_f32x4_s(f32x4.mul(x, inverse));
    // Bit for bit: -0 is none of them.
    same = v128.and(same, i32x4.eq(x, f32x4.mul(f32x4.convert_i32x4_s(whole), scale)));
    any = v128.or(any, whole);
    most = i32x4.max_s(most, i32x4.abs(whole));
  }
  if (!i32x4.all_true(same)) return -1;
  const shift = ctz(
    i32x4.extract_lane(any, 0) |
      i32x4.extract_lane(any, 1) |
      i32x4.extract_lane(any, 2) |
      i32x4.extract_lane(any, 3),
  );
  const largest =
    max(
      max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
      max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
    ) >> shift;
  const exponent = least + shift + 127;
  const narrow = largest <= 127;
  for (let at = values, to = target; at < end; at += 64) {
    const a = i32x4.shr_s(i32x4.trunc_sat_f32x4_s(f32x4.mul(v128.load(at), inverse)), shift);
    const b = i32x4.shr_s(i32x4.trunc_sat_f32x4_s(f32x4.mul(v128.load(at, 16), inverse)), shift);
    const c = i32x4.shr_s(i32x4.trunc_sat_f32x4_s(f32x4.mul(v128.load(at, 32), inverse)), shift);
    const d = i32x4.shr_s(i32x4.trunc_sat_f32x4_s(f32x4.mul(v128.load(at, 48), inverse)), shift);
    const low = i16x8.narrow_i32x4_s(a, b);
    const high = i16x8.narrow_i32x4_s(c, d);
    if (narrow) {
      v128.store(to, i8x16.narrow_i16x8_s(low, high));
      to += 16;
    } else {
      v128.store(to, low);
      v128.store(to, high, 16);
      to += 32;
    }
  }
  return narrow ? exponent + 256 : exponent;
}

// @ts-ignore: decorator
@inline
function toFp16(x: v128): v128 {
  const m = v128.and(x, i32x4.splat(0x7fffffff));
  const small = i32x4.trunc_sat_f32x4_s(f32x4.mul(m, f32x4.splat(powerOfTwo(24))));
  const normal = i32x4.shr_s(i32x4.sub(m, i32x4.splat(112 << 23)), 13);
  const half = v128.bitselect(small, normal, i32x4.lt_s(m, i32x4.splat(0x38800000)));
  // With a sign, it is a negative number of 16 bits.
  return v128.or(half, i32x4.shl(i32x4.shr_s(x, 31), 15));
}

// @ts-ignore: decorator
@inline
function fromFp16(half: v128): v128 {
  const m = v128.and(half, i32x4.splat(0x7fff));
  const small = f32x4.mul(f32x4.convert_i32x4_s(m), f32x4.splat(powerOfTwo(-24)));
  const normal = i32x4.add(i32x4.shl(m, 13), i32x4.splat(112 << 23));
  const x = v128.bitselect(small, normal, i32x4.lt_s(m, i32x4.splat(0x400)));
  return v128.or(x, v128.and(i32x4.shl(half, 16), i32x4.splat(0x80000000)));
}

function packFp16(values: usize, target: usize): bool {
  let same = i32x4.splat(-1);
  for (const end = values + GROUP_BYTES; values < end; values += 32, target += 16) {
    const x = v128.load(values);
    const y = v128.load(values, 16);
    // What does not fit into 16 bits comes out as another number.
    const packed = i16x8.narrow_i32x4_s(toFp16(x), toFp16(y));
    v128.store(target, packed);
    same = v128.and(same, i32x4.eq(x, fromFp16(i32x4.extend_low_i16x8_s(packed))));
    same = v128.and(same, i32x4.eq(y, fromFp16(i32x4.extend_high_i16x8_s(packed))));
  }
  return i32x4.all_true(same);
}

/** Bytes that a group of this format has after its header; -1 of one that does not exist. */
function sizeOf(format: u8): i32 {
  if (format == ZEROS) return 0;
  if (format == INT8) return <i32>GROUP;
  if (format == INT16 || format == BF16 || format == FP16) return <i32>GROUP * 2;
  return format == FLOAT32 ? <i32>GROUP_BYTES : -1;
}

function unpackGroup(format: u8, exponent: u8, source: usize, target: usize): void {
  const end = target + GROUP_BYTES;
  if (format == ZEROS) memory.fill(target, 0, GROUP_BYTES);
  else if (format == FLOAT32) memory.copy(target, source, GROUP_BYTES);
  else if (format == INT8 || format == INT16) {
    const scale = f32x4.splat(powerOfTwo(<i32>exponent - 127));
    for (; target < end; target += 32) {
      let eight: v128;
      if (format == INT8) {
        eight = i16x8.extend_low_i8x16_s(v128.load64_zero(source));
        source += 8;
      } else {
        eight = v128.load(source);
        source += 16;
      }
      v128.store(target, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(eight)), scale));
      v128.store(
        target,
        f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(eight)), scale),
        16,
      );
    }
  } else
    for (; target < end; target += 32, source += 16) {
      const low = i32x4.extend_low_i16x8_s(v128.load(source));
      const high = i32x4.extend_high_i16x8_s(v128.load(source));
      v128.store(target, format == BF16 ? i32x4.shl(low, 16) : fromFp16(low));
      v128.store(target, format == BF16 ? i32x4.shl(high, 16) : fromFp16(high), 16);
    }
}

/** Writes the elements in as few bytes as hold every bit. @returns how many: a multiple of four */
export function pack(values: usize, length: usize, target: usize): usize {
  const start = target;
  for (; length >= GROUP; length -= GROUP, values += GROUP_BYTES)
    target += packGroup(values, target);
  if (length > 0) {
    memory.fill(SCRATCH, 0, GROUP_BYTES);
    memory.copy(SCRATCH, values, length << 2);
    target += packGroup(SCRATCH, target);
  }
  for (; (target - start) & 3; target++) store<u8>(target, 0);
  return target - start;
}

// @ts-ignore: decorator
@inline
function isWhole(read: usize, bytes: usize): bool {
  return ((read + 3) & ~3) == bytes;
}

/** @returns whether the bytes are `length` packed elements, neither more nor less */
export function unpack(source: usize, bytes: usize, target: usize, length: usize): bool {
  const start = source;
  while (length > 0) {
    const left = bytes - (source - start);
    if (left < HEADER) return false;
    const format = load<u8>(source);
    const exponent = load<u8>(source, 1);
    const size = sizeOf(format);
    source += HEADER;
    if (size < 0 || left - HEADER < <usize>size) return false;
    const whole = length >= GROUP;
    unpackGroup(format, exponent, source, whole ? target : SCRATCH);
    if (!whole) {
      memory.copy(target, SCRATCH, length << 2);
      return isWhole(source + <usize>size - start, bytes);
    }
    source += <usize>size;
    target += GROUP_BYTES;
    length -= GROUP;
  }
  return isWhole(source - start, bytes);
}
