import { isUtf8 } from 'node:buffer';

/** Why bytes are no text. */
export class NoTextError extends Error {}

/** How the text begins, and what it is then. */
const MARKS = [
  { bytes: [0xef, 0xbb, 0xbf], encoding: 'utf-8' },
  { bytes: [0xff, 0xfe], encoding: 'utf-16le' },
  { bytes: [0xfe, 0xff], encoding: 'utf-16be' },
] as const;

/** What a byte-order mark at the beginning says. */
export function byteOrderMark(
  start: Uint8Array,
): { readonly length: number; readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' } | undefined {
  const mark = MARKS.find(({ bytes }) => bytes.every((byte, at) => start[at] === byte));
  return mark && { length: mark.bytes.length, encoding: mark.encoding };
}

/**
 * The text of a file that a person wrote: UTF-8, with a byte-order mark or without, or UTF-16 with one,
 * as Windows writes them. Lines end as they do in the file.
 * @throws NoTextError for anything else
 */
export function textOf(bytes: Uint8Array): string {
  const { encoding } = byteOrderMark(bytes) ?? { encoding: 'utf-8' };
  if (encoding === 'utf-8') {
    if (bytes.includes(0)) throw new NoTextError('holds zero bytes, like UTF-16 without its mark');
    if (!isUtf8(bytes)) throw new NoTextError('is not UTF-8');
  }
  return new TextDecoder(encoding).decode(bytes);
}
