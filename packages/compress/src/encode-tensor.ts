import { BY_COLUMNS, DRAWN, ENCODING, SPARSE } from '@tutti/edge/internal';
import type { ByteWriter } from './byte-writer.js';
import { HALF_LIMIT, toBrainUp, toHalf } from './half.js';
import { codeFor } from './huffman.js';
import { encodePlaces, type Places } from './places.js';
import { type Quantized, quantize } from './quantize.js';

/** How the values of a tensor are written: `exact` keeps every bit. */
export type Precision = 'exact' | 'float16' | 'int8' | 'int4';

/**
 * A weight whose elements each read one of fewer stored values, as `createRandom` of @tutti/runtime draws
 * them: `hashed` of @tutti/parameters. A file has what is stored, and what the draw begins with.
 */
export interface DrawnWeight {
  /** Rows of `block` values, each read as so many neighbours; the last may be cut off. */
  readonly stored: Float32Array;
  readonly block: number;
  /** Whether a sign is drawn after each row. */
  readonly sign: boolean;
  /** Of the generator before the first row: four int32. */
  readonly state: readonly number[];
  /** Whether rows are drawn for the elements of the transposed matrix. */
  readonly turned: boolean;
}

export const isDrawn = (weight: object): weight is DrawnWeight => 'stored' in weight;

/** Values that are written in one way. */
interface EncodedValues {
  readonly encoding: keyof typeof ENCODING;
  readonly bits: number;
  write(writer: ByteWriter): void;
}

/** Neighbours of int4 with one scale: 4.5 bits a value. */
const INT4_GROUP = 32;

/** So many of int8 that anything may read have one scale: 8.125 bits a value. */
const STORED_GROUP = 128;

/** More entries would cost more than they save. */
const MOST_ENTRIES = 4096;

/**
 * Writes one tensor in the way that takes the fewest bytes: by rows or by columns, all elements or
 * those that are not zero, each value for itself or as an entry of a codebook.
 * @param columns its last extent
 */
export function encodeTensor(
  writer: ByteWriter,
  values: Float32Array,
  columns: number,
  precision: Precision,
): void {
  const rows = values.length / columns;
  const turned = rows > 1 && columns > 1 ? byColumns(values, columns) : undefined;
  // Values of one unit have one scale, so those of a column are to be neighbours.
  const isScaled = precision === 'int8' || precision === 'int4';
  const orders = turned === undefined ? [values] : isScaled ? [turned] : [values, turned];
  const written = shortest(
    orders.flatMap((ordered) =>
      candidates(ordered, precision, rows, ordered === values ? 0 : BY_COLUMNS),
    ),
  );
  writer.byte(headOf(written));
  writeCandidate(writer, written);
}

/** Writes one tensor that is drawn: what is stored, in the way that takes the fewest bytes, and how it is read. */
export function encodeDrawn(
  writer: ByteWriter,
  { stored, block, sign, state, turned }: DrawnWeight,
  precision: Precision,
): void {
  const flag = DRAWN | (turned ? BY_COLUMNS : 0);
  const written = shortest(candidates(stored, precision, STORED_GROUP, flag));
  writer.byte(headOf(written));
  writer.varint(stored.length);
  writer.varint(block);
  writer.byte(sign ? 1 : 0);
  for (const each of state) writer.int32(each);
  writeCandidate(writer, written);
}

/** Writes values that anything may read, in their order. */
export function encodeStored(writer: ByteWriter, values: Float32Array, precision: Precision): void {
  const written = shortest(candidates(values, precision, STORED_GROUP, 0));
  writer.byte(headOf(written));
  writeCandidate(writer, written);
}

/** Writes whole numbers, exactly: those of few bits may be quanta of int8 or int4 whose scale is 1. */
export function encodeWhole(writer: ByteWriter, values: Float32Array): void {
  const small = (['int4', 'int8'] as const).flatMap((encoding) => {
    const half = encoding === 'int8' ? 128 : 8;
    if (values.some((value) => value < -half || value >= half)) return [];
    const quanta = Int8Array.from(values);
    const scales = Uint16Array.of(toBrainUp(1));
    const quantized = { quanta, scales, group: values.length };
    return [{ flag: 0, values: quantizedValues(encoding, quantized), places: undefined }];
  });
  const written = shortest([...candidates(values, 'exact', 1, 0), ...small]);
  writer.byte(headOf(written));
  writeCandidate(writer, written);
}

interface Candidate {
  /** Bits of the first byte besides those that follow from the others. */
  readonly flag: number;
  readonly values: EncodedValues;
  readonly places: Places | undefined;
}

/** All elements, or those that are not zero. */
function candidates(
  values: Float32Array,
  precision: Precision,
  group: number,
  flag: number,
): Candidate[] {
  const kept = Uint32Array.from(values.keys()).filter((at) => values[at] !== 0);
  const all = { flag, values: encodeValues(values, precision, group), places: undefined };
  const places = kept.length < values.length ? encodePlaces(kept) : undefined;
  if (places === undefined) return [all];
  const some = Float32Array.from(kept, (at) => values[at]!);
  return [all, { flag, values: encodeValues(some, precision, group), places }];
}

const sizeOf = ({ values, places }: Candidate) => values.bits + (places?.bits ?? 0);

const shortest = (candidates: readonly Candidate[]) =>
  candidates.reduce((a, b) => (sizeOf(b) < sizeOf(a) ? b : a));

const headOf = ({ flag, values, places }: Candidate) =>
  ENCODING[values.encoding] | flag | (places ? SPARSE : 0);

function writeCandidate(writer: ByteWriter, { values, places }: Candidate): void {
  places?.write(writer);
  values.write(writer);
  writer.align();
}

function byColumns(values: Float32Array, columns: number): Float32Array {
  const rows = values.length / columns;
  return values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!);
}

/** @param group neighbours that have one scale as int8, if they are as many as those of int4 */
function encodeValues(values: Float32Array, precision: Precision, group: number): EncodedValues {
  if (precision === 'int8')
    return quantizedValues('int8', quantize(values, 127, Math.max(group, INT4_GROUP)));
  if (precision === 'int4') return quantizedValues('int4', quantize(values, 7, INT4_GROUP));
  const inRange = values.every((value) => Math.abs(value) < HALF_LIMIT);
  const plain: EncodedValues =
    precision === 'float16' && inRange
      ? {
          encoding: 'float16',
          bits: 16 * values.length,
          write: (writer) => values.forEach((value) => void writer.uint16(toHalf(value))),
        }
      : {
          encoding: 'float32',
          bits: 32 * values.length,
          write: (writer) => values.forEach((value) => void writer.float32(value)),
        };
  const codebook = codebookValues(values);
  return codebook !== undefined && codebook.bits < plain.bits ? codebook : plain;
}

function codebookValues(values: Float32Array): EncodedValues | undefined {
  // By bits: -0 is another value than 0.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Map<number, number>();
  for (const each of bits) {
    counts.set(each, (counts.get(each) ?? 0) + 1);
    if (counts.size > MOST_ENTRIES) return undefined;
  }
  const entries = [...counts.keys()];
  const symbols = new Map(entries.map((each, at) => [each, at]));
  const code = codeFor([...counts.values()]);
  return {
    encoding: 'codebook',
    bits: 16 + 32 * entries.length + code.bits,
    write(writer) {
      writer.varint(entries.length);
      for (const each of new Float32Array(Uint32Array.from(entries).buffer)) writer.float32(each);
      code.writeTable(writer);
      for (const each of bits) code.write(writer, symbols.get(each)!);
    },
  };
}

function quantizedValues(
  encoding: 'int8' | 'int4',
  { quanta, scales, group }: Quantized,
): EncodedValues {
  const width = encoding === 'int8' ? 8 : 4;
  return {
    encoding,
    bits: 8 + 16 * scales.length + width * quanta.length,
    write(writer) {
      writer.varint(group);
      scales.forEach((scale) => void writer.uint16(scale));
      if (width === 8) quanta.forEach((quantum) => void writer.byte(quantum));
      else
        for (let i = 0; i < quanta.length; i += 2)
          writer.byte((quanta[i]! & 15) | ((quanta[i + 1] ?? 0) << 4));
    },
  };
}
