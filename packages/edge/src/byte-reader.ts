import { check } from './error.js';

/** Reads one after the other, and never past the end. */
export interface ByteReader {
  byte(): number;
  /** LEB128: seven bits a byte, the lowest first; the highest bit says that another byte follows. */
  varint(): number;
  /** Little-endian. */
  float32(): number;
  /** Little-endian. */
  uint16(): number;
  /** Little-endian. */
  int32(): number;
  /** The highest bit of a byte first. */
  bit(): number;
  /** Passes over what is left of a byte whose first bits were read. */
  align(): void;
  /** @throws EdgeError if there are fewer bytes left */
  need(bytes: number): void;
  readonly atEnd: boolean;
  /** The first version of the file that has all that was read. */
  version: number;
}

export function createByteReader(bytes: Uint8Array, start: number): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  let bits = 0;
  const need = (count: number) => {
    check(count <= bytes.length - at, 'it ends too early');
  };
  const take = (count: number) => {
    need(count);
    at += count;
    return at - count;
  };
  const byte = () => bytes[take(1)]!;
  return {
    byte,
    need,
    version: 1,
    varint() {
      let value = 0;
      for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
        const next = byte();
        value += (next & 127) * scale;
        if (next < 128) return value;
      }
      check(false);
    },
    float32: () => view.getFloat32(take(4), true),
    uint16: () => view.getUint16(take(2), true),
    int32: () => view.getInt32(take(4), true),
    bit() {
      if (bits === 0) {
        take(1);
        bits = 8;
      }
      bits -= 1;
      return (bytes[at - 1]! >> bits) & 1;
    },
    align() {
      bits = 0;
    },
    get atEnd() {
      return at === bytes.length;
    },
  };
}
