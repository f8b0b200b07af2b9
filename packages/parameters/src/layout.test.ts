import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BLOCK_FLOATS, CHUNK_FLOATS, chunkFloatsFor, createLayout, partition } from './layout.js';

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

  it('cuts what is trained at the same places whatever the size of the chunks', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 150_000 }), { minLength: 1, maxLength: 8 });
    const size = fc.integer({ min: 1, max: 6 }).map((blocks) => blocks * BLOCK_FLOATS);
    const runsOf = (layout: ReturnType<typeof createLayout>) =>
      Array.from({ length: layout.chunks }, (_, chunk) =>
        layout.trainedBlocks(chunk).map((run) => ({
          start: chunk * layout.chunkFloats + run.start,
          length: run.length,
        })),
      ).flat();
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.boolean()), size, size, (lengths, still, a, b) => {
        const declared = lengths.map((length, at) => {
          const update = still.next().value ? ('average' as const) : ('gradient' as const);
          return { name: `p${at}`, shape: [length], update };
        });
        const layout = createLayout(declared, a);
        const runs = runsOf(layout);
        assert.deepEqual(runsOf(createLayout(declared, b)), runs);
        let next = 0;
        for (const { start, length } of runs) {
          assert.equal(
            Math.floor(start / BLOCK_FLOATS),
            Math.floor((start + length - 1) / BLOCK_FLOATS),
          );
          for (; next < start; next++) assert.equal(layout.parameterAt(next).update, 'average');
          assert.equal(layout.parameterAt(start).update, 'gradient');
          next = start + length;
        }
        const trained = layout.parameters.filter(({ update }) => update === 'gradient');
        assert.equal(
          runs.reduce((sum, { length }) => sum + length, 0),
          trained.reduce((sum, { size: floats }) => sum + floats, 0),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('gives no server much more than another size of chunks would, and leaves none without', () => {
    const most = (n: number, k: number, size: number) =>
      Math.max(
        ...partition(Math.ceil(n / size), k).map(({ firstChunk, chunks }) => {
          let floats = 0;
          for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk++)
            floats += Math.min(size, n - chunk * size);
          return floats;
        }),
      );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000_000 }),
        fc.integer({ min: 1, max: 9 }),
        (n, k) => {
          const size = chunkFloatsFor(n, k);
          assert.ok(size % BLOCK_FLOATS === 0 && size <= CHUNK_FLOATS);
          assert.ok(Math.ceil(n / size) >= Math.min(k, Math.ceil(n / BLOCK_FLOATS)));
          for (let other = BLOCK_FLOATS; other <= CHUNK_FLOATS; other += BLOCK_FLOATS)
            assert.ok(most(n, k, size) <= 1.1 * most(n, k, other));
        },
      ),
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
