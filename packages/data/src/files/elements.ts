/** How numbers lie in a file: kind, bits, and whether the least significant byte comes first. */
export type ElementKind = 'uint8' | 'int8' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64';

export interface ElementFormat {
  readonly kind: ElementKind;
  readonly littleEndian: boolean;
}

export const BYTES_PER_ELEMENT: Readonly<Record<ElementKind, number>> = {
  uint8: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float32: 4,
  float64: 8,
};

/** A number in a file that the kind of array does not hold. */
export class UnfitNumberError extends Error {
  /** Its place among those that were decoded at once, from 0. */
  readonly element: number;
  readonly remedy: string;

  constructor(element: number, message: string, remedy: string) {
    super(message);
    this.element = element;
    this.remedy = remedy;
  }
}

/** Turns the bytes of numbers in a file into one of the three kinds of array that a batch has. */
export interface Decoder {
  readonly format: ElementFormat;
  create(length: number): Float32Array | Int32Array | Uint8Array;
  /**
   * Decodes `count` numbers that start at byte `from` into `target` at element `at`.
   * @throws UnfitNumberError
   */
  decode(
    bytes: Uint8Array,
    from: number,
    count: number,
    target: Float32Array | Int32Array | Uint8Array,
    at: number,
  ): void;
}

/**
 * The decoder for a format. Floating-point numbers become float32, integers int32 (int64 must fit),
 * uint8 stays as it is unless `as` says otherwise. float64 must fit into float32; with a `scale`, everything becomes float32 and is
 * multiplied by it.
 */
export function createDecoder(
  format: ElementFormat,
  { scale, as }: { scale?: number | undefined; as?: 'int32' | undefined } = {},
): Decoder {
  const { kind, littleEndian } = format;
  const step = BYTES_PER_ELEMENT[kind];
  if (kind === 'uint8') return uint8Decoder(format, scale, as);
  const read = readerOf(kind, littleEndian);
  const float = scale !== undefined || kind === 'float32' || kind === 'float64';
  return {
    format,
    create: (length) => (float ? new Float32Array(length) : new Int32Array(length)),
    decode(bytes, from, count, target, at) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (kind === 'int64') check64(view, from, count, littleEndian);
      if (scale === undefined) {
        for (let i = 0; i < count; i++) target[at + i] = read(view, from + i * step);
      } else {
        for (let i = 0; i < count; i++) target[at + i] = read(view, from + i * step) * scale;
      }
      if (kind !== 'float64') return;
      for (let i = 0; i < count; i++) {
        if (Number.isFinite(target[at + i]!)) continue;
        const value = read(view, from + i * step);
        if (!Number.isFinite(value)) continue;
        throw new UnfitNumberError(
          i,
          `the number ${value} does not fit into float32`,
          'Scale the values before they are stored.',
        );
      }
    },
  };
}

function uint8Decoder(
  format: ElementFormat,
  scale: number | undefined,
  as: 'int32' | undefined,
): Decoder {
  if (scale === undefined) {
    return {
      format,
      create: (length) => (as === 'int32' ? new Int32Array(length) : new Uint8Array(length)),
      decode(bytes, from, count, target, at) {
        for (let i = 0; i < count; i++) target[at + i] = bytes[from + i]!;
      },
    };
  }
  const scaled = Float32Array.from({ length: 256 }, (_, value) => value * scale);
  return {
    format,
    // Not zeroed, since decoding writes every element: zeroing would cost as much as decoding.
    create: (length) => new Float32Array(Buffer.allocUnsafeSlow(4 * length).buffer),
    decode(bytes, from, count, target, at) {
      const input = bytes.subarray(from, from + count);
      const output = target.subarray(at, at + count);
      // Four at a time: a third faster, and images are read on the worker's hot path.
      let i = 0;
      for (; i + 3 < count; i += 4) {
        output[i] = scaled[input[i]!]!;
        output[i + 1] = scaled[input[i + 1]!]!;
        output[i + 2] = scaled[input[i + 2]!]!;
        output[i + 3] = scaled[input[i + 3]!]!;
      }
      for (; i < count; i++) output[i] = scaled[input[i]!]!;
    },
  };
}

type ReadNumber = (view: DataView, offset: number) => number;

function readerOf(kind: Exclude<ElementKind, 'uint8'>, little: boolean): ReadNumber {
  switch (kind) {
    case 'int8':
      return (view, offset) => view.getInt8(offset);
    case 'int16':
      return (view, offset) => view.getInt16(offset, little);
    case 'int32':
      return (view, offset) => view.getInt32(offset, little);
    case 'float32':
      return (view, offset) => view.getFloat32(offset, little);
    case 'float64':
      return (view, offset) => view.getFloat64(offset, little);
    case 'int64':
      return (view, offset) => view.getInt32(little ? offset : offset + 4, little);
  }
}

/** Whether the upper half of each is nothing but the sign of the lower. */
function check64(view: DataView, from: number, count: number, little: boolean): void {
  for (let i = 0; i < count; i++) {
    const offset = from + i * 8;
    const low = view.getInt32(little ? offset : offset + 4, little);
    const high = view.getInt32(little ? offset + 4 : offset, little);
    if (high === low >> 31) continue;
    throw new UnfitNumberError(
      i,
      `the number ${view.getBigInt64(offset, little)} does not fit into 32 bits`,
      'Store numbers from -2147483648 to 2147483647, or floating-point ones.',
    );
  }
}
