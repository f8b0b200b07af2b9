import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createLayout, partition } from './layout.js';

const parameters = fc
  .array(
    fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
      update: fc.constantFrom('gradient' as const, 'average' as const),
      decay: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((list) => list.map((entry, at) => ({ ...entry, name: `p${at}` })));

describe('layout', () => {
  it('gives every float to one segment with the rule of its parameter', () => {
    fc.assert(
      fc.property(parameters, fc.integer({ min: 1, max: 40 }), (declared, chunkFloats) => {
        const layout = createLayout(declared, chunkFloats);
        let position = 0;
        for (let chunk = 0; chunk < layout.chunks; chunk++) {
          let inChunk = 0;
          for (const segment of layout.segments(chunk)) {
            assert.equal(segment.start, inChunk);
            for (let i = 0; i < segment.length; i++) {
              const owner = layout.parameterAt(position++);
              assert.equal(segment.update, owner.update);
              assert.equal(segment.decay, owner.decay);
            }
            inChunk += segment.length;
          }
          assert.equal(inChunk, layout.chunkLength(chunk));
        }
        assert.equal(position, layout.floats);
      }),
    );
  });

  it('views share the memory of the flat vector', () => {
    const layout = createLayout([
      { name: 'a', shape: [2, 2] },
      { name: 'b', shape: [] },
    ]);
    const flat = Float32Array.of(1, 2, 3, 4, 5);
    const { a, b } = layout.views(flat);
    flat[4] = 9;
    assert.deepEqual([...a!, ...b!], [1, 2, 3, 4, 9]);
  });

  it('refuses duplicate names and impossible shapes by name', () => {
    const twice = [
      { name: 'kernel', shape: [1] },
      { name: 'kernel', shape: [2] },
    ];
    assert.throws(() => createLayout(twice), /Two stored parameters are called "kernel"/);
    assert.throws(() => createLayout([{ name: 'k', shape: [2, 0] }]), /"k".*\[2, 0\]/);
    assert.throws(() => createLayout([]), /no parameters/);
  });

  it('parts every chunk to one server, evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1, max: 12 }), (n, k) => {
        const parts = partition(n, k);
        let next = 0;
        for (const { firstChunk, chunks } of parts) {
          assert.equal(firstChunk, next);
          next += chunks;
        }
        assert.equal(next, n);
        const counts = parts.map(({ chunks }) => chunks);
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      }),
    );
  });
});
