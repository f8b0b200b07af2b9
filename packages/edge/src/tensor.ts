import type { ByteReader } from './byte-reader.js';
import { damaged, unknown } from './error.js';
import { readCode } from './huffman.js';

/** How values are written: the four lowest bits of a tensor's first byte. */
export const ENCODING = { float32: 0, float16: 1, int8: 2, int4: 3, codebook: 4 } as const;
/** Bits of a tensor's first byte. */
export const SPARSE = 64;
export const BY_COLUMNS = 128;

/**
 * Reads one tensor.
 * @param columns its last extent
 */
export function readTensor(reader: ByteReader, size: number, columns: number): Float32Array {
  const head = reader.byte();
  const encoding = head & 63;
  if (encoding > ENCODING.codebook) throw unknown();
  const tensor = new Float32Array(size);
  const places = head & SPARSE ? readPlaces(reader, size) : undefined;
  const count = places ? places.length : size;
  const next = readValues(reader, encoding, count);
  const rows = size / columns;
  for (let i = 0; i < count; i++) {
    const at = places ? places[i]! : i;
    tensor[head & BY_COLUMNS ? (at % rows) * columns + Math.floor(at / rows) : at] = next(i);
  }
  reader.align();
  return tensor;
}

/** Where the values are that are not zero: how many elements are passed over before each. */
function readPlaces(reader: ByteReader, size: number): Uint32Array {
  const count = reader.varint();
  reader.need(count / 8);
  const bits = reader.byte();
  if (bits < 1 || bits > 8) throw damaged('a gap is too long');
  const places = new Uint32Array(count);
  const gap = readCode(reader, 2 ** bits);
  const longest = 2 ** bits - 1;
  let at = -1;
  for (let i = 0; i < count; i++) {
    let passed: number;
    do {
      passed = gap();
      at += passed;
    } while (passed === longest && at < size);
    places[i] = ++at;
    if (at >= size) throw damaged('a value is outside of its tensor');
  }
  reader.align();
  return places;
}

/** @returns what reads value i, called for each in turn */
function readValues(reader: ByteReader, encoding: number, count: number): (i: number) => number {
  if (encoding === ENCODING.float32) return reader.float32;
  if (encoding === ENCODING.float16) return () => fromHalf(reader.uint16());
  if (encoding === ENCODING.codebook) {
    const entries = reader.varint();
    reader.need(entries * 4);
    const codebook = Float32Array.from({ length: entries }, reader.float32);
    const symbol = readCode(reader, entries);
    return () => codebook[symbol()]!;
  }
  const group = reader.varint();
  if (group === 0) throw damaged('a group is empty');
  const groups = Math.ceil(count / group);
  reader.need(groups * 2);
  const scales = Float32Array.from({ length: groups }, () => fromBrain(reader.uint16()));
  const scaled = (quantum: number, i: number) => quantum * scales[Math.floor(i / group)]!;
  if (encoding === ENCODING.int8) return (i) => scaled((reader.byte() << 24) >> 24, i);
  let pair = 0;
  return (i) => {
    if (i % 2 === 0) pair = reader.byte();
    const quantum = (pair << 28) >> 28;
    pair >>= 4;
    return scaled(quantum, i);
  };
}

/** IEEE 754 binary16, whose infinities and NaNs no file has. */
function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const magnitude = exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14;
  return bits >> 15 ? -magnitude : magnitude;
}

/** bfloat16: the upper half of a float32. */
function fromBrain(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}
