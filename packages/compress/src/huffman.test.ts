import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalCodes, codeLengths } from './huffman.js';

/** The cost of the best code of any length: Huffman's own algorithm (1952). */
function bestCost(counts: readonly number[]): number {
  const nodes = counts.filter((count) => count > 0);
  let cost = nodes.length === 1 ? nodes[0]! : 0;
  while (nodes.length > 1) {
    nodes.sort((a, b) => b - a);
    const sum = nodes.pop()! + nodes.pop()!;
    cost += sum;
    nodes.push(sum);
  }
  return cost;
}

const costOf = (counts: readonly number[], lengths: readonly number[]) =>
  counts.reduce((sum, count, at) => sum + count * lengths[at]!, 0);

describe('code lengths', () => {
  it('are the best there are, where none would be longer than 15', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 }), (counts) => {
        const lengths = codeLengths(counts);
        for (const [at, count] of counts.entries()) assert.equal(lengths[at]! > 0, count > 0);
        // At most 40,000 in all: the least of 40 symbols cannot have a longer code than 22 bits.
        const longest = Math.max(...lengths);
        if (longest < 15) assert.equal(costOf(counts, lengths), bestCost(counts));
      }),
    );
  });

  it('stay within 15 bits, and cost little more, where the best would be longer', () => {
    const fibonacci = [1, 1];
    while (fibonacci.length < 30) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!);
    const lengths = codeLengths(fibonacci);
    assert.equal(Math.max(...lengths), 15);
    const space = lengths.reduce((sum, length) => sum + 2 ** -length, 0);
    assert.equal(space, 1);
    const cost = costOf(fibonacci, lengths);
    assert.ok(cost > bestCost(fibonacci) && cost < 1.001 * bestCost(fibonacci));
  });

  it('give codes of which none begins as another', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 2, maxLength: 60 }), (counts) => {
        const lengths = codeLengths(counts);
        const codes = canonicalCodes(lengths).flatMap((code, at) =>
          lengths[at]! > 0 ? [code.toString(2).padStart(lengths[at]!, '0')] : [],
        );
        for (const a of codes)
          for (const b of codes) assert.ok(a === b || !b.startsWith(a), `${a} ${b}`);
        assert.equal(new Set(codes).size, codes.length);
      }),
    );
  });
});
