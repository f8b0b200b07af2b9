import type { ByteWriter } from './byte-writer.js';
import { type Code, codeFor } from './huffman.js';

/** Where the values are that are not zero, as the file says it. */
export interface Places {
  readonly bits: number;
  write(writer: ByteWriter): void;
}

/**
 * Gaps between neighbours, entropy-coded; a gap of the longest symbol goes on with the next one.
 * @param places in order
 */
export function encodePlaces(places: ArrayLike<number>): Places {
  let best: { width: number; symbols: number[]; code: Code } | undefined;
  for (let width = 1; width <= 8; width++) {
    const symbols = gapSymbols(places, 2 ** width - 1);
    const counts = new Array<number>(2 ** width).fill(0);
    for (const symbol of symbols) counts[symbol]! += 1;
    const code = codeFor(counts);
    if (best === undefined || code.bits < best.code.bits) best = { width, symbols, code };
  }
  const { width, symbols, code } = best!;
  return {
    bits: 40 + code.bits,
    write(writer) {
      writer.varint(places.length);
      writer.byte(width);
      code.writeTable(writer);
      for (const symbol of symbols) code.write(writer, symbol);
      writer.align();
    },
  };
}

function gapSymbols(places: ArrayLike<number>, longest: number): number[] {
  const symbols: number[] = [];
  for (let i = 0, next = 0; i < places.length; i++) {
    let gap = places[i]! - next;
    next = places[i]! + 1;
    for (; gap >= longest; gap -= longest) symbols.push(longest);
    symbols.push(gap);
  }
  return symbols;
}
