import { ACTIVATIONS } from './activations.js';
import { floats, times } from './arrays.js';
import { type ByteReader, createByteReader } from './byte-reader.js';
import { crc32 } from './crc32.js';
import { check, EdgeError, refused } from './error.js';
import { LAYER_KINDS } from './layers/index.js';
import { type LayerKind, product, type Shape } from './layers/layer.js';
import { PARTS_VERSION, type Part, readTensor } from './tensor.js';

/** "TUTTI". */
export const MAGIC = [84, 85, 84, 84, 73] as const;
/** Where the checksum stands, and where what it covers begins. */
export const CHECKSUM_AT = 6;
export const BODY_AT = 10;

/** The most weights and intermediate values of a model, unless the caller allows more. */
export const MAX_VALUES = 2 ** 24;

export interface EdgeModel {
  /** The shape of an example. */
  readonly input: readonly number[];
  /** The shape of a prediction. */
  readonly output: readonly number[];
  /**
   * Predicts for one example.
   * @param example its values, the last dimension fastest
   * @throws EdgeError BAD_DATA for an example that does not fit the model
   */
  predict(example: ArrayLike<number>): Float32Array;
}

interface Placed {
  readonly inputs: readonly number[];
  run(inputs: readonly Float32Array[]): Float32Array;
}

/** Makes a part of those before it; its first byte, which is not 0, says how. */
export type Sharing = (
  kind: number,
  reader: ByteReader,
  parts: readonly Part[],
  hold: (shape: Shape) => number,
) => Part;

export interface ReadOptions {
  /** Weights and intermediate values that are accepted, 16,777,216 if not given: a small file may describe a large model. */
  readonly maxValues?: number | undefined;
  /** `sharing` of `@tutti/edge/sharing`, for files whose weights are computed from others. */
  readonly sharing?: Sharing | undefined;
}

/**
 * Opens the bytes of a .tutti file.
 * @throws EdgeError BAD_MODEL if it is none, damaged, of a later version, or of a larger model
 */
export function readModel(
  bytes: Uint8Array,
  { maxValues = MAX_VALUES, sharing }: ReadOptions = {},
): EdgeModel {
  const reader = readFrame(bytes);
  let held = 0;
  const hold = (shape: Shape) => {
    const all = product(shape);
    held += all;
    check(all > 0);
    if (held > maxValues)
      throw refused(
        `has a model of more than ${maxValues} values`,
        'Give a larger `maxValues`, if you trust the file.',
      );
    return all;
  };

  const input = readExtents(reader);
  hold(input);
  const shapes: Shape[] = [input];
  const parts: Part[] = [];
  let count = reader.varint();
  if (count === 0 && !reader.atEnd) {
    for (count = reader.varint(); parts.length < count; ) {
      const kind = reader.byte();
      if (kind === 0) {
        const shape = readExtents(reader);
        parts.push({ shape, table: readTensor(reader, shape, parts, hold, true) });
      } else if (sharing) parts.push(sharing(kind, reader, parts, hold));
      else
        throw refused(
          'has weights that are made of others',
          "Import { sharing } from '@tutti/edge/sharing' for readModel(bytes, { sharing }).",
        );
    }
    count = reader.varint();
  }
  reader.need(count * 2);
  const placed = times(count, (): Placed => {
    const kind = LAYER_KINDS[reader.byte()];
    check(kind);
    const inputs = readInputs(reader, kind, shapes);
    const numbers =
      kind.numbers === 'list' ? readExtents(reader) : times(kind.numbers ?? 0, reader.varint);
    const activations = times(kind.activations ?? 0, () => readActivation(reader));
    const layer = kind.open(
      inputs.map((at) => shapes[at]!),
      numbers,
      activations,
    );
    hold(layer.shape);
    shapes.push(layer.shape);
    const weights = layer.weights?.map((shape) =>
      readTensor(reader, shape, parts, hold, kind.looksUp),
    );
    // Only a layer that looks up is given tables, which are enough for it.
    return { inputs, run: (values) => layer.run(values, weights as Float32Array[]) };
  });
  check(reader.atEnd, 'something follows its end');
  // Parts that no weight is are not kept.
  const version = parts.splice(0).length ? PARTS_VERSION : reader.version;
  check(bytes[MAGIC.length] === version, 'its version is another');

  return {
    input,
    output: shapes.at(-1)!,
    predict(example) {
      if (example.length !== product(input))
        throw new EdgeError(
          'BAD_DATA',
          `The example has ${example.length} values, but the model reads [${input.join(', ')}]`,
          'Give the values of one example.',
        );
      const known: Float32Array[] = [floats(example)];
      for (const { run, inputs } of placed) known.push(run(inputs.map((at) => known[at]!)));
      // A model without layers gives its input, but not the caller's memory.
      return known.at(-1)!.slice();
    },
  };
}

/** @returns what reads the model */
function readFrame(bytes: Uint8Array): ByteReader {
  if (MAGIC.some((byte, at) => bytes[at] !== byte))
    throw new EdgeError(
      'BAD_MODEL',
      'This is no .tutti file',
      'Give the bytes that `tutti compress` wrote, or `tutti export --format tutti`.',
    );
  const version = bytes[MAGIC.length]!;
  if (version > PARTS_VERSION)
    throw refused(
      `has version ${version}, but only those up to ${PARTS_VERSION} are known here`,
      'Take a newer @tutti/edge.',
    );
  const reader = createByteReader(bytes, CHECKSUM_AT);
  check(reader.int32() >>> 0 === crc32(bytes.subarray(BODY_AT)), 'its checksum is another');
  return reader;
}

function readExtents(reader: ByteReader): number[] {
  const rank = reader.varint();
  check(rank < 9);
  return times(rank, reader.varint);
}

/** Which results it reads: 0 for the example, k for that of layer k, counted from 1. */
function readInputs(reader: ByteReader, { merges }: LayerKind, known: readonly Shape[]): number[] {
  const count = reader.varint();
  if (count === 0) return [known.length - 1];
  check(count < 2 || merges);
  reader.need(count);
  return times(count, () => {
    const at = known.length - reader.varint();
    check(known[at]);
    return at;
  });
}

function readActivation(reader: ByteReader) {
  const number = reader.byte();
  const known = ACTIVATIONS[number];
  check(known);
  return known[0](known[1] ? reader.float32() : 0);
}
