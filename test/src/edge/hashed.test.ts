import assert from 'node:assert/strict';
import { type LayerSpec, writeModel } from '@tutti/compress';
import { readModel } from '@tutti/edge';
import { drawnBy, hashed, resolveSharing, tie } from '@tutti/parameters';
import fc from 'fast-check';

/** What a file has of a weight that is hashed: its stored values, and how they are read. */
function read(
  sharing: ReturnType<typeof resolveSharing>,
  weight: string,
  stored: Readonly<Record<string, Float32Array>>,
): Float32Array {
  const { expression, shape } = sharing.weights.find((each) => each.weight === weight)!;
  const { parameter, ...how } = drawnBy(expression)!;
  const columns = shape.at(-1)!;
  const rows = shape.reduce((size, extent) => size * extent, 1) / columns;
  const table: LayerSpec = {
    kind: 'embedding',
    numbers: [rows, columns],
    weights: [{ ...how, stored: stored[parameter]! }],
  };
  const { bytes } = writeModel({ input: [rows], layers: [table] });
  return readModel(bytes).predict(Uint32Array.from({ length: rows }, (_, row) => row));
}

describe('a weight that the sharing kind `hashed` makes', () => {
  it('is the same, bit for bit, in a file that has its stored values alone', () => {
    fc.assert(
      fc.property(
        fc.record({
          name: fc.string({ minLength: 1 }).filter((name) => !name.includes('*')),
          shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
          seed: fc.nat(),
          block: fc.integer({ min: 1, max: 5 }),
          share: fc.double({ min: 0.01, max: 1, noNaN: true }),
          sign: fc.boolean(),
        }),
        ({ name, shape, seed, block, share, sign }) => {
          const size = shape.reduce((a, b) => a * b, 1);
          const count = block * Math.max(1, Math.floor((share * size) / block));
          fc.pre(count <= size);
          const rules = [hashed(name, { stored: count, block, seed, sign })];
          const sharing = resolveSharing([{ name, shape }], rules);
          const stored = { [name]: Float32Array.from({ length: count }, (_, at) => at + 0.5) };
          assert.deepEqual(
            read(sharing, name, stored),
            Float32Array.from(sharing.expand(name, stored)),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is so too where another weight is tied to it, or to its transpose', () => {
    for (const block of [1, 3])
      for (const transpose of [false, true]) {
        const weights = [
          { name: 'a', shape: [5, 7] },
          { name: 'b', shape: transpose ? [7, 5] : [5, 7] },
        ];
        const rules = [hashed('a', { stored: 12, block }), tie('a', 'b', { transpose })];
        const sharing = resolveSharing(weights, rules);
        const stored = { a: Float32Array.from({ length: 12 }, (_, at) => at + 0.5) };
        for (const { name } of weights)
          assert.deepEqual(
            read(sharing, name, stored),
            Float32Array.from(sharing.expand(name, stored)),
          );
      }
  });

  it('is written in full where a part of it is read', () => {
    const weights = [
      { name: 'a', shape: [6, 4] },
      { name: 'b', shape: [2, 4] },
    ];
    const sharing = resolveSharing(weights, [
      hashed('a', { stored: 8 }),
      tie('a', 'b', { begin: [1, 0] }),
    ]);
    assert.ok(drawnBy(sharing.weights[0]!.expression));
    assert.equal(drawnBy(sharing.weights[1]!.expression), undefined);
  });
});
