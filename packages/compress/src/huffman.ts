import type { ByteWriter } from './byte-writer.js';

/** The longest code that the file has room for. */
const LONGEST = 15;

/**
 * The lengths of an optimal prefix code of at most 15 bits: package-merge (Larmore and Hirschberg
 * 1990). 0 for a symbol that does not occur.
 */
export function codeLengths(counts: readonly number[]): number[] {
  const lengths = counts.map(() => 0);
  const leaves = [...counts.entries()]
    .filter(([, count]) => count > 0)
    .map(([symbol, count]) => ({ count, symbols: [symbol] }))
    .sort((a, b) => a.count - b.count);
  if (leaves.length === 1) lengths[leaves[0]!.symbols[0]!] = 1;
  if (leaves.length < 2) return lengths;
  let items = leaves;
  for (let round = 1; round < LONGEST; round++) {
    const packages = Array.from({ length: Math.floor(items.length / 2) }, (_, at) => {
      const [left, right] = [items[2 * at]!, items[2 * at + 1]!];
      return { count: left.count + right.count, symbols: [...left.symbols, ...right.symbols] };
    });
    items = [...leaves, ...packages].sort((a, b) => a.count - b.count);
  }
  for (const { symbols } of items.slice(0, 2 * leaves.length - 2))
    for (const symbol of symbols) lengths[symbol]! += 1;
  return lengths;
}

/** The canonical codes of these lengths (RFC 1951, 3.2.2). */
export function canonicalCodes(lengths: readonly number[]): number[] {
  const codes = lengths.map(() => 0);
  let code = 0;
  for (let length = 1; length <= LONGEST; length++) {
    code *= 2;
    for (const [symbol, own] of lengths.entries()) if (own === length) codes[symbol] = code++;
  }
  return codes;
}

/** A code that was made for these symbols: its size in the file, and how it is written. */
export interface Code {
  /** Bits of the table and of all symbols. */
  readonly bits: number;
  writeTable(writer: ByteWriter): void;
  write(writer: ByteWriter, symbol: number): void;
}

/** @param counts how often each symbol occurs */
export function codeFor(counts: readonly number[]): Code {
  const lengths = codeLengths(counts);
  const codes = canonicalCodes(lengths);
  return {
    bits: 4 * counts.length + counts.reduce((sum, count, at) => sum + count * lengths[at]!, 0),
    writeTable(writer) {
      for (const length of lengths) writer.bits(length, 4);
      writer.align();
    },
    write: (writer, symbol) => writer.bits(codes[symbol]!, lengths[symbol]!),
  };
}
