import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import { createRandom } from '@tutti/runtime';
import fc from 'fast-check';
import { createReducer } from './reducer.js';
import { maximalNodes, split } from './tree.js';

/** The definition, written down as it stands in the design. */
function definition(vectors: readonly Float32Array[], lo: number, hi: number): Float32Array {
  if (hi - lo === 1) return vectors[lo]!;
  const middle = split(lo, hi);
  const left = definition(vectors, lo, middle);
  const right = definition(vectors, middle, hi);
  return left.map((value, i) => Math.fround(value + right[i]!));
}

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer);
const kernels = createKernels();

describe('reducer', () => {
  it('equals the definition for random owners, orders, duplicates and overlaps', () => {
    const cases = fc.record({
      shards: fc.integer({ min: 1, max: 200 }),
      workers: fc.integer({ min: 1, max: 20 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(cases, ({ shards, workers, seed }) => {
        const random = createRandom(seed);
        const vectors = Array.from({ length: shards }, () =>
          Float32Array.from({ length: 5 }, () => (random.next() - 0.5) * 10 ** random.below(12)),
        );
        // Every shard has one owner at least, some have several: overlaps and duplicates.
        const owners = Array.from({ length: workers }, () => new Set<number>());
        for (let shard = 0; shard < shards; shard++)
          for (let copies = 1 + random.below(3); copies > 0; copies--)
            owners[random.below(workers)]!.add(shard);
        const offers = owners.flatMap((owned) => maximalNodes(owned, shards));
        for (const node of offers.slice(0, 5)) offers.push(node);
        random.shuffle(offers);

        const reducer = createReducer({ kernels, shards, length: 5 });
        let completed = 0;
        for (const { lo, hi } of offers) {
          const values = definition(vectors, lo, hi);
          if (reducer.offer(lo, hi, bytesOf(values.slice())) === 'complete') completed++;
        }
        assert.equal(completed, 1);
        assert.deepEqual(
          Buffer.from(reducer.sum()!.bytes),
          Buffer.from(bytesOf(definition(vectors, 0, shards).slice())),
        );
        assert.deepEqual(reducer.missing(), []);
        reducer.release();
      }),
    );
  });

  it('ignores what is covered, replaces what is less complete, refuses what is no node', () => {
    const reducer = createReducer({ kernels, shards: 4, length: 1 });
    const of = (value: number) => bytesOf(Float32Array.of(value));
    assert.equal(reducer.offer(0, 1, of(1)), 'held');
    assert.equal(reducer.offer(0, 1, of(9)), 'duplicate');
    assert.equal(reducer.offer(0, 2, of(3)), 'held');
    assert.equal(reducer.offer(1, 2, of(9)), 'duplicate');
    assert.equal(reducer.offer(1, 3, of(9)), 'no-node');
    assert.deepEqual(reducer.missing(), [2, 3]);
    assert.deepEqual([0, 1, 2, 3].filter(reducer.isMissing), [2, 3]);
    assert.equal(reducer.offer(3, 4, of(5)), 'held');
    assert.equal(reducer.offer(2, 3, of(4)), 'complete');
    assert.deepEqual([...reducer.sum()!.values], [12]);
    assert.throws(() => reducer.offer(0, 1, new Uint8Array(8)), /2 floats.*vector of 1/);
    reducer.release();
    assert.equal(reducer.sum(), undefined);
  });

  it('tells a sum that is not finite, whether it was added here or elsewhere', () => {
    const of = (value: number) => bytesOf(Float32Array.of(1, value));
    const sums = [
      [1, 2, true],
      [1, Number.NaN, false],
      [3e38, 3e38, false],
    ] as const;
    for (const [left, right, finite] of sums) {
      const reducer = createReducer({ kernels, shards: 2, length: 2 });
      assert.equal(reducer.isFinite(), false, 'it is not there');
      reducer.offer(0, 1, of(left));
      assert.equal(reducer.isFinite(), false, 'it is not complete');
      reducer.offer(1, 2, of(right));
      assert.equal(reducer.isFinite(), finite);
      reducer.release();
      reducer.offer(0, 2, of(Math.fround(left + right)));
      assert.equal(reducer.isFinite(), finite);
      reducer.release();
    }
  });
});
