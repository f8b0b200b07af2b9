/** As much of the encoding of protocol buffers as is written here: https://protobuf.dev/programming-guides/encoding/ */

/** One field of a message; what is empty is left out. */
export type Field = Uint8Array;

const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

export const message = (...fields: readonly Field[]): Uint8Array => Buffer.concat(fields);

/** A field of type int32, int64, bool or enum; not negative. */
export const varint = (field: number, value: number): Field =>
  Buffer.concat([tag(field, VARINT), encoded(value)]);

export function double(field: number, value: number): Field {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, FIXED64), bytes]);
}

export function float(field: number, value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([tag(field, FIXED32), bytes]);
}

/** A field of strings, bytes or messages. */
export function bytes(field: number, value: Uint8Array | string): Field {
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([tag(field, BYTES), encoded(content.length), content]);
}

const tag = (field: number, type: number) => encoded(field * 8 + type);

function encoded(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  out.push(rest);
  return Uint8Array.from(out);
}

/** The fields of a message that is a varint of 64 bits at most, by number; others are passed over. */
export function readVarint(content: Uint8Array, wanted: number): number | undefined {
  let at = 0;
  const next = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = content[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < content.length) {
    const key = next();
    const [field, type] = [Math.floor(key / 8), key % 8];
    if (type === VARINT) {
      const value = next();
      if (field === wanted) return value;
    } else if (type === BYTES) {
      const length = next();
      at += length;
    } else at += type === FIXED64 ? 8 : 4;
  }
  return undefined;
}
