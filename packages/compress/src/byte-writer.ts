/** Collects bytes; the counterpart of the reader in `@tutti/edge`. */
export interface ByteWriter {
  byte(value: number): void;
  /** LEB128 of a whole number from 0. */
  varint(value: number): void;
  /** Little-endian. */
  float32(value: number): void;
  /** Little-endian. */
  uint16(value: number): void;
  /** Little-endian. */
  int32(value: number): void;
  /** The lowest `count` bits of a value, the highest first. */
  bits(value: number, count: number): void;
  /** Fills the byte that is begun with zeros. */
  align(): void;
  /** Bytes so far. */
  readonly length: number;
  bytes(): Uint8Array<ArrayBuffer>;
}

export function createByteWriter(): ByteWriter {
  const written: number[] = [];
  let free = 0;
  const byte = (value: number) => {
    written.push(value & 255);
  };
  return {
    byte,
    varint(value) {
      let rest = value;
      for (; rest > 127; rest = Math.floor(rest / 128)) byte((rest % 128) + 128);
      byte(rest);
    },
    float32(value) {
      for (const each of new Uint8Array(Float32Array.of(value).buffer)) byte(each);
    },
    uint16(value) {
      byte(value);
      byte(value >> 8);
    },
    int32(value) {
      for (const shift of [0, 8, 16, 24]) byte(value >> shift);
    },
    bits(value, count) {
      for (let at = count - 1; at >= 0; at--) {
        if (free === 0) {
          byte(0);
          free = 8;
        }
        free -= 1;
        written[written.length - 1]! |= ((value >> at) & 1) << free;
      }
    },
    align() {
      free = 0;
    },
    get length() {
      return written.length;
    },
    bytes: () => Uint8Array.from(written),
  };
}
