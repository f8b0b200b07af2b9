import { floats, times } from './arrays.js';
import type { ByteReader } from './byte-reader.js';
import { check } from './error.js';
import { readCode } from './huffman.js';
import { ceil, floor } from './math.js';

/** Opens `count` values: what it returns reads value i, and is called for each in turn. */
type Encoding = (reader: ByteReader, count: number) => (i: number) => number;

/** How values are written, in the order of their numbers in the file, as `ENCODING` calls them. */
export const ENCODINGS: readonly Encoding[] = [
  (reader) => reader.float32,
  (reader) => () => fromHalf(reader.uint16()),
  scaled((reader) => () => (reader.byte() << 24) >> 24),
  scaled((reader) => {
    let pair = 0;
    return (i) => {
      pair = i % 2 ? pair >> 4 : reader.byte();
      return (pair << 28) >> 28;
    };
  }),
  (reader) => {
    const entries = reader.varint();
    reader.need(entries * 4);
    const codebook = floats(times(entries, reader.float32));
    const symbol = readCode(reader, entries);
    return () => codebook[symbol()]!;
  },
];

/** Whole numbers, times the scale of their group of neighbours. */
function scaled(quanta: (reader: ByteReader) => (i: number) => number): Encoding {
  return (reader, count) => {
    const group = reader.varint();
    check(group);
    const groups = ceil(count / group);
    reader.need(groups * 2);
    const scales = floats(times(groups, () => fromBrain(reader.uint16())));
    const quantum = quanta(reader);
    return (i) => quantum(i) * scales[floor(i / group)]!;
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
