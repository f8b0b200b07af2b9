import { isRecord } from '@tutti/runtime';
import { badCheckpoint } from './bad-checkpoint.js';

/** A tensor of float32 values, row by row. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Where a tensor lies in a file: bytes from the end of the header. */
export interface TensorPlace {
  readonly name: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly places: readonly TensorPlace[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of tensors after the header. */
  readonly dataBytes: number;
}

/** As in the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';

/**
 * The first bytes of a safetensors file (https://github.com/huggingface/safetensors#format): the
 * length of the JSON as a little-endian uint64, then the JSON, padded with spaces so that the
 * tensors begin at a multiple of eight.
 */
export function encodeHeader(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push([METADATA, metadata]);
  const names = new Set<string>([METADATA]);
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    if (names.has(name)) throw new RangeError(`The tensor name ${name} is taken.`);
    if (elementsOf(shape) !== values.length) {
      throw new RangeError(`${name} has ${values.length} values, which is not [${shape}].`);
    }
    names.add(name);
    const end = offset + values.byteLength;
    entries.push([name, { dtype: 'F32', shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(text.length / 8) * 8;
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  text.copy(header, 8);
  return header;
}

/** The length of the JSON, refused if it cannot be that of a file of `fileBytes`. */
export function decodeHeaderLength(path: string, first: Uint8Array, fileBytes: number): number {
  if (fileBytes < 10 || first.length < 8)
    throw badCheckpoint(path, `it has only ${fileBytes} bytes`);
  const length = Buffer.from(first.buffer, first.byteOffset, 8).readBigUInt64LE();
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, fileBytes - 8)) || length < 2n) {
    throw badCheckpoint(path, `its header claims ${length} bytes of a file of ${fileBytes}`);
  }
  return Number(length);
}

/**
 * Reads and checks the JSON: only float32, every tensor as long as its shape says, the tensors
 * neither overlapping nor leaving holes, and together exactly the `dataBytes` that there are.
 */
export function decodeHeader(path: string, json: Uint8Array, dataBytes: number): Header {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    throw badCheckpoint(path, `its header is no JSON (${(error as Error).message})`);
  }
  if (!isRecord(parsed)) throw badCheckpoint(path, 'its header is no object');
  const places: TensorPlace[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(parsed)) {
    if (name !== METADATA) places.push(decodePlace(path, name, entry));
    else if (isRecord(entry) && Object.values(entry).every((value) => typeof value === 'string')) {
      metadata = entry as Record<string, string>;
    } else throw badCheckpoint(path, 'its metadata is more than text');
  }
  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of places) {
    if (begin !== at) {
      const fault = begin < at ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw badCheckpoint(path, `tensor ${name} at ${begin} ${fault}, which ends at ${at}`);
    }
    at = end;
  }
  if (at !== dataBytes) {
    throw badCheckpoint(path, `its tensors take ${at} bytes, but there are ${dataBytes}`);
  }
  return { places, metadata, dataBytes };
}

function decodePlace(path: string, name: string, entry: unknown): TensorPlace {
  if (!isRecord(entry)) throw badCheckpoint(path, `tensor ${name} is not described`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32') {
    throw badCheckpoint(path, `tensor ${name} is of type ${JSON.stringify(dtype)}, not F32`);
  }
  if (!isSizes(shape)) throw badCheckpoint(path, `tensor ${name} has no shape`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[1]! < offsets[0]!) {
    throw badCheckpoint(path, `tensor ${name} has no place in the file`);
  }
  const [begin, end] = offsets as [number, number];
  if (elementsOf(shape) * 4 !== end - begin) {
    throw badCheckpoint(path, `tensor ${name} of shape [${shape}] has ${end - begin} bytes`);
  }
  return { name, shape, begin, end };
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
