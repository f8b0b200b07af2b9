import assert from 'node:assert/strict';
import { createLayout } from '@tutti/parameters';
import fc from 'fast-check';
import { createWindow } from './window.js';

const layoutOf = (chunks: number) =>
  createLayout([{ name: 'w', shape: [65_536 * chunks - 1] }], 65_536);

describe('a window of chunks', () => {
  it('gives every chunk once, and never more than 8 MiB beyond what is stored', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(), { maxLength: 400 }),
        (chunks, tensors, picks) => {
          const stored = new Set<number>();
          const given: number[] = [];
          const layout = layoutOf(chunks);
          const give = (some: readonly number[]) => given.push(...some);
          const window = createWindow({ layout, tensors, stored, give });
          window.advance();
          for (let turn = 0; stored.size < chunks; turn++) {
            const underWay = given.filter((chunk) => !stored.has(chunk));
            assert.ok(underWay.length > 0, 'it stands still');
            assert.ok(underWay.length * 4 * 65_536 * tensors <= 8 * 1024 * 1024);
            // Servers store in any order.
            stored.add(underWay[(picks[turn % picks.length] ?? 0) % underWay.length]!);
            window.advance();
          }
          assert.deepEqual(
            given.sort((a, b) => a - b),
            Array.from({ length: chunks }, (_, chunk) => chunk),
          );
        },
      ),
    );
  });

  it('gives what was under way again, and not what is stored', () => {
    const stored = new Set([1, 3]);
    const given: (readonly number[])[] = [];
    const give = (some: readonly number[]) => given.push(some);
    const window = createWindow({ layout: layoutOf(6), tensors: 1, stored, give });
    window.advance();
    stored.add(4);
    window.again();
    assert.deepEqual(given, [
      [0, 2, 4, 5],
      [0, 2, 5],
    ]);
  });
});
