import { times, zeros } from './arrays.js';
import type { ByteReader } from './byte-reader.js';
import { drawn } from './draw.js';
import { ENCODINGS } from './encodings.js';
import { check } from './error.js';
import { readCode } from './huffman.js';
import { product, type Shape, type Table } from './layers/layer.js';
import { ceil, floor } from './math.js';

/** Bits of a tensor's first byte, of which the others are its encoding. */
export const MADE = 16;
export const DRAWN = 32;
export const SPARSE = 64;
export const BY_COLUMNS = 128;
/** The first versions of the file that have drawn tensors, and parts. */
export const DRAWN_VERSION = 2;
export const PARTS_VERSION = 3;

/** What weights are made of: a tensor that stands in the file once, or what follows from others. */
export interface Part {
  readonly shape: Shape;
  readonly table: Table;
}

/**
 * Reads one tensor.
 * @param parts what it may be made of
 * @param hold says how many values are held for it, before they are, and gives their number
 * @param looksUp whether parts of it are read, so that what is drawn need not be made
 */
export function readTensor(
  reader: ByteReader,
  shape: Shape,
  parts: readonly Part[],
  hold: (shape: Shape) => number,
  looksUp?: boolean,
): Table {
  const head = reader.byte();
  const byColumns = head & BY_COLUMNS;
  const isWhole = byColumns || !looksUp;
  const size = product(shape);
  let table: Table;
  if (head & MADE) {
    const part = parts[reader.varint()];
    check(part && product(part.shape) === size);
    table = part.table;
    if (isWhole) hold(shape);
  } else if (head & DRAWN) {
    reader.version = DRAWN_VERSION;
    const count = hold([reader.varint()]);
    const block = reader.varint();
    // Not if it is 0 either.
    check(count % block === 0);
    const sign = reader.byte();
    const state = Int32Array.from(times(4, reader.int32));
    hold(isWhole ? shape : [ceil(size / block)]);
    table = drawn(readValues(reader, head, count), block, sign, state, size);
  } else table = readValues(reader, head, hold(shape));
  if (!isWhole) return table;
  const values = table.subarray(0, size);
  if (!byColumns) return values;
  const columns = shape.at(-1)!;
  const rows = values.length / columns;
  return values.map((_, at) => values[(at % columns) * rows + floor(at / columns)]!);
}

/** The values of a tensor in the order of the file, with zeros where it has none. */
function readValues(reader: ByteReader, head: number, size: number): Float32Array {
  const values = zeros(size);
  const places = head & SPARSE ? readPlaces(reader, size) : undefined;
  const count = places ? places.length : size;
  const next = ENCODINGS[head & 31]?.(reader, count);
  check(next);
  for (let i = 0; i < count; i++) values[places ? places[i]! : i] = next(i);
  reader.align();
  return values;
}

/** Where the values are that are not zero: how many elements are passed over before each. */
function readPlaces(reader: ByteReader, size: number): Uint32Array {
  const count = reader.varint();
  reader.need(count / 8);
  const bits = reader.byte();
  check(bits > 0 && bits < 9);
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
    check(at < size);
  }
  reader.align();
  return places;
}
