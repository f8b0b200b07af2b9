import { times } from './arrays.js';
import type { ByteReader } from './byte-reader.js';
import { check } from './error.js';

/**
 * Reads a canonical Huffman code: for each symbol the length of its code in 4 bits, 0 for a symbol
 * that has none, at most 15. Codes of one length are consecutive, in the order of the symbols; the
 * first of a length is twice what follows the last of the length before (RFC 1951, 3.2.2).
 * @returns a function that reads one symbol
 */
export function readCode(reader: ByteReader, symbols: number): () => number {
  reader.need(symbols / 2);
  const lengths = times(
    symbols,
    () => reader.bit() * 8 + reader.bit() * 4 + reader.bit() * 2 + reader.bit(),
  );
  reader.align();
  const counts = new Uint32Array(16);
  for (const length of lengths) counts[length]! += 1;
  const ordered: number[] = [];
  let free = 1;
  for (let length = 1; length < 16; length++) {
    free = free * 2 - counts[length]!;
    check(free >= 0);
    for (let symbol = 0; symbol < symbols; symbol++)
      if (lengths[symbol] === length) ordered.push(symbol);
  }
  return () => {
    let code = 0;
    let first = 0;
    let before = 0;
    for (let length = 1; length < 16; length++) {
      code = code * 2 + reader.bit();
      first *= 2;
      const count = counts[length]!;
      if (code - first < count) return ordered[before + code - first]!;
      before += count;
      first += count;
    }
    check(false);
  };
}
