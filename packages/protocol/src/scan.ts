/** Deepest nesting of a header; a `welcome` needs six. */
const MAX_DEPTH = 16;

/**
 * Walks msgpack bytes without building anything and says what is wrong with them, or undefined.
 *
 * Allowed is what JSON could also say: maps with text keys, arrays, text, numbers up to 64-bit
 * floats, booleans, nil. Extensions (records, dates, typed arrays), binary and 64-bit integers are
 * refused, so the decoder behind it can neither be made to allocate more than the bytes justify,
 * nor recurse deeply, nor build anything but plain objects. Linear in the number of bytes.
 */
export function findFault(bytes: Uint8Array): string | undefined {
  const end = bytes.length;
  // One entry a level: items still to come, negative while in a map (where even means a key).
  const open: number[] = [1];
  let at = 0;
  while (open.length > 0) {
    const top = open.length - 1;
    const left = open[top]!;
    if (left === 0) {
      open.pop();
      continue;
    }
    if (at >= end) return 'the header ends in the middle of a value';
    const token = bytes[at]!;
    const key = left < 0 && left % 2 === 0;
    open[top] = left < 0 ? left + 1 : left - 1;
    at++;
    let skip = 0;
    let items = 0;
    let map = false;
    let text = false;
    if (token < 0x80 || token >= 0xe0) skip = 0;
    else if (token < 0x90) {
      items = (token & 0x0f) * 2;
      map = true;
    } else if (token < 0xa0) items = token & 0x0f;
    else if (token < 0xc0) {
      skip = token & 0x1f;
      text = true;
    } else {
      const lengthBytes = LENGTH_BYTES[token - 0xc0]!;
      if (lengthBytes < 0) return `byte 0x${token.toString(16)} at ${at - 1} is no plain value`;
      if (at + lengthBytes > end) return 'the header ends in the middle of a value';
      let length = 0;
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + bytes[at + i]!;
      if (token >= 0xdc) {
        map = token >= 0xde;
        items = map ? length * 2 : length;
        at += lengthBytes;
      } else if (token >= 0xd9) {
        text = true;
        skip = length;
        at += lengthBytes;
      } else skip = SCALAR_BYTES[token - 0xc0]!;
    }
    if (key && !text) return `the map key at byte ${at - 1} is no text`;
    if (at + skip > end) return 'the header ends in the middle of a value';
    at += skip;
    if (items > 0) {
      if (open.length > MAX_DEPTH) return `values are nested more than ${MAX_DEPTH} deep`;
      open.push(map ? -items : items);
    }
  }
  return at === end ? undefined : `${end - at} bytes follow the value`;
}

// Indexed by token - 0xc0. -1: refused. Scalars (nil, booleans, floats, integers) have no length.
const LENGTH_BYTES = [
  0, -1, 0, 0, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, -1, 0, 0, 0, -1, -1, -1, -1, -1, -1, 1, 2, 4,
  2, 4, 2, 4,
];
const SCALAR_BYTES = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 8, 1, 2, 4, 0, 1, 2, 4];
