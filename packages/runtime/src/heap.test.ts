import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createHeap } from './heap.js';

describe('a heap', () => {
  it('gives out what sorting would, whatever is put in between', () => {
    // A number is put in; undefined takes one out.
    const actions = fc.array(fc.option(fc.integer(), { nil: undefined }), { maxLength: 60 });
    fc.assert(
      fc.property(actions, (given) => {
        const heap = createHeap<[number, number]>(
          (a, b) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]),
        );
        let sorted: [number, number][] = [];
        for (const [at, value] of given.entries()) {
          if (value === undefined) assert.deepEqual(heap.take(), sorted.shift());
          else {
            heap.put([value, at]);
            sorted = [...sorted, [value, at] as [number, number]].sort(
              (a, b) => a[0] - b[0] || a[1] - b[1],
            );
          }
          assert.equal(heap.size, sorted.length);
          assert.deepEqual(heap.first(), sorted[0]);
        }
      }),
    );
  });
});
