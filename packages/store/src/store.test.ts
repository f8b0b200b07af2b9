import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import type { OptimizerSpec } from '@tutti/protocol';
import { createRandom, TuttiError } from '@tutti/runtime';
import fc from 'fast-check';
import { createOptimizer } from './optimizer.js';
import type { StoreSegment } from './segments.js';
import { createStore, type Store } from './store.js';

const f = Math.fround;
const whole = (length: number, changes: Partial<StoreSegment> = {}): StoreSegment => ({
  start: 0,
  length,
  update: 'gradient',
  decay: true,
  ...changes,
});

function storeOf(spec: OptimizerSpec, segments: StoreSegment[][], firstChunk = 0): Store {
  const chunkLengths = segments.map((list) => list.reduce((sum, part) => sum + part.length, 0));
  const optimizer = createOptimizer(spec);
  return createStore({ kernels: createKernels(), optimizer, firstChunk, chunkLengths, segments });
}

const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** The floats of a Buffer or a Uint8Array that may lie anywhere. */
function floatsOf(bytes: Uint8Array | undefined): number[] {
  assert.ok(bytes);
  return [...new Float32Array(bytes.slice().buffer)];
}

const hasCode = (code: string) => (error: unknown) =>
  error instanceof TuttiError && error.code === code;

const sgd: OptimizerSpec = { name: 'sgd', learningRate: 0.5 };
const adam: OptimizerSpec = { name: 'adam', learningRate: 0.01 };

describe('store', () => {
  it('moves weights by the mean gradient', () => {
    const store = storeOf(sgd, [[whole(3)]]);
    store.initialize(0, Float32Array.of(1, 2, 3));
    assert.equal(store.apply(0, 0, bytesOf([4, 8, -4]), 4, 1), 'applied');
    assert.deepEqual(floatsOf(store.read(0, 1)), [0.5, 1, 3.5]);
    assert.equal(store.version(0), 1);
  });

  it('keeps the current and the previous version, and no other', () => {
    const store = storeOf(sgd, [[whole(1)]]);
    assert.equal(store.version(0), undefined);
    store.initialize(0, Float32Array.of(1), 5);
    store.apply(5, 0, bytesOf([1]), 1, 1);
    store.apply(6, 0, bytesOf([1]), 1, 1);
    const versions = [4, 5, 6, 7, 8].map((version) => store.read(0, version));
    assert.deepEqual(
      versions.map((bytes) => bytes && floatsOf(bytes)),
      [undefined, undefined, [0.5], [0], undefined],
    );
  });

  it('applies a step once', () => {
    const store = storeOf(adam, [[whole(4)]]);
    store.initialize(0, Float32Array.of(1, 2, 3, 4));
    const sum = bytesOf([1, -1, 2, -2]);
    assert.equal(store.apply(0, 0, sum, 2, 1), 'applied');
    const before = [floatsOf(store.read(0, 1)), store.slots(0)];
    assert.equal(store.apply(0, 0, bytesOf([9, 9, 9, 9]), 2, 1), 'already');
    assert.deepEqual([floatsOf(store.read(0, 1)), store.slots(0)], before);
    assert.throws(() => store.apply(2, 0, sum, 2, 1), /Step 2 came for chunk 0.*at version 1/);
  });

  it('gives the same bits in one chunk or in several, and however segments are cut', () => {
    const names = ['sgd', 'nesterov', 'adagrad', 'rmsprop', 'adam', 'adamw', 'adadelta', 'adamax'];
    fc.assert(
      fc.property(
        fc.constantFrom(...(names as OptimizerSpec['name'][])),
        fc.integer({ min: 2, max: 60 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 3 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(),
        (name, length, cuts, moreCuts, count, seed) => {
          const spec = { name, learningRate: 0.01, weightDecay: 0.001, clipValue: 0.5 };
          const random = createRandom(seed, 'store');
          const vector = () => Float32Array.from({ length }, () => 4 * random.next() - 2);
          const edges = (list: number[], end: number) =>
            [...new Set([0, ...list.map((cut) => cut % end), end])].sort((a, b) => a - b);
          const pieces = (list: number[], end: number) =>
            edges(list, end)
              .slice(1)
              .map((to, index) => {
                const start = edges(list, end)[index]!;
                return whole(to - start, { start });
              });
          const chunks = pieces(cuts, length);
          const one = storeOf(spec, [[whole(length)]]);
          const many = storeOf(
            spec,
            chunks.map((chunk) => pieces(moreCuts, chunk.length)),
          );
          const initial = vector();
          one.initialize(0, initial);
          const part = (values: Float32Array, { start, length }: StoreSegment) =>
            values.slice(start, start + length);
          chunks.forEach((chunk, index) => {
            many.initialize(index, part(initial, chunk));
          });
          for (let step = 0; step < 4; step++) {
            const sum = vector().map((value) => value * count);
            one.apply(step, 0, new Uint8Array(sum.buffer), count, 0.75);
            chunks.forEach((chunk, index) => {
              many.apply(step, index, new Uint8Array(part(sum, chunk).buffer), count, 0.75);
            });
          }
          assert.deepEqual(
            chunks.flatMap((_, index) => floatsOf(many.read(index, 4))),
            floatsOf(one.read(0, 4)),
          );
        },
      ),
    );
  });

  it('adds the mean to averaged segments and touches them in no other way', () => {
    const spec = { ...sgd, weightDecay: 0.5, clipValue: 0.001 };
    for (const count of [3, 4]) {
      const average = whole(5, { update: 'average', start: 2 });
      const store = storeOf(spec, [[whole(2), average]]);
      const initial = [1, 1, 0.1, -0.2, 0.3, 1e-8, 7];
      const sum = [0, 0, 1, 10, -100, 1e-8, 1e6];
      store.initialize(0, Float32Array.from(initial));
      store.apply(0, 0, bytesOf(sum), count, 0.125);
      const expected = initial.map((w, i) => f(f(w) + f(f(sum[i]!) / count)));
      assert.deepEqual(floatsOf(store.read(0, 1)).slice(2), expected.slice(2));
      assert.deepEqual(floatsOf(store.read(0, 1))[0], f(1 - f(0.5 * f(0.5))));
    }
  });

  it('exempts segments from decay, coupled and decoupled', () => {
    const segments = [[whole(1), whole(1, { start: 1, decay: false })]];
    const zero = bytesOf([0, 0]);
    const coupled = storeOf({ ...sgd, weightDecay: 0.1 }, segments);
    coupled.initialize(0, Float32Array.of(1, 1));
    coupled.apply(0, 0, zero, 1, 1);
    assert.deepEqual(floatsOf(coupled.read(0, 1)), [f(1 - f(0.5 * f(0.1))), 1]);
    const decoupled = storeOf({ name: 'adamw', learningRate: 0.5, weightDecay: 0.1 }, segments);
    decoupled.initialize(0, Float32Array.of(1, 1));
    decoupled.apply(0, 0, zero, 1, 1);
    assert.deepEqual(floatsOf(decoupled.read(0, 1)), [f(1 - f(0.05)), 1]);
  });

  it('scales, then limits each element of the mean', () => {
    const store = storeOf({ name: 'sgd', learningRate: 1, clipValue: 0.5 }, [[whole(3)]]);
    store.initialize(0, new Float32Array(3));
    store.apply(0, 0, bytesOf([8, -8, 1]), 2, 0.25);
    assert.deepEqual(floatsOf(store.read(0, 1)), [-0.5, 0.5, -0.125]);
  });

  it('takes sums at any alignment, or as a block of its kernels', () => {
    const kernels = createKernels();
    const optimizer = createOptimizer(sgd);
    const segments = [[whole(2)]];
    const store = createStore({ kernels, optimizer, firstChunk: 3, chunkLengths: [2], segments });
    const padded = new Uint8Array(9);
    store.initialize(3, padded.subarray(1));
    padded.set(bytesOf([1, 2]), 1);
    store.apply(0, 3, padded.subarray(1), 1, 1);
    const block = kernels.allocate(2);
    block.values.set([1, 2]);
    store.apply(1, 3, block, 1, 1);
    assert.deepEqual(floatsOf(store.read(3, 2)), [-1, -2]);
    assert.deepEqual([...block.values], [1, 2]);
  });

  it('takes sums where it said that they may be read into, and needs no copy of them', () => {
    const store = storeOf(sgd, [[whole(2)], [whole(3)]], 4);
    store.initialize(4, Float32Array.of(0, 0));
    store.initialize(5, Float32Array.of(0, 0, 0));
    for (const [chunk, sum] of [
      [4, [1, 2]],
      [5, [3, 4, 5]],
    ] as const) {
      const landing = store.landing(chunk);
      landing.set(bytesOf(sum));
      store.apply(0, chunk, landing, 1, 1);
      assert.deepEqual(
        floatsOf(store.read(chunk, 1)),
        sum.map((value) => -value / 2),
      );
      assert.equal(store.landing(chunk), landing);
    }
  });

  it('writes a new version over that before the last, and takes no more memory', () => {
    const store = storeOf(sgd, [[whole(1)]]);
    store.initialize(0, Float32Array.of(8));
    const places = [0, 1, 2, 3].map((step) => {
      const place = store.read(0, step)!.byteOffset;
      store.apply(step, 0, bytesOf([1]), 1, 1);
      assert.deepEqual(floatsOf(store.read(0, step)), [8 - step / 2], 'the one before is whole');
      return place;
    });
    assert.deepEqual(places, [places[0], places[1], places[0], places[1]]);
  });

  it('goes on from a checkpoint as if it had never stopped', () => {
    const straight = storeOf(adam, [[whole(3)]]);
    straight.initialize(0, Float32Array.of(1, 2, 3));
    const sum = (step: number) => bytesOf([step + 1, -step, 0.5]);
    for (let step = 0; step < 3; step++) straight.apply(step, 0, sum(step), 1, 1);
    const resumed = storeOf(adam, [[whole(3)]]);
    const weights = Float32Array.from(floatsOf(straight.read(0, 3)));
    resumed.restore(0, 3, weights, straight.slots(0));
    for (let step = 3; step < 6; step++) {
      straight.apply(step, 0, sum(step), 1, 1);
      resumed.apply(step, 0, sum(step), 1, 1);
    }
    assert.deepEqual(floatsOf(resumed.read(0, 6)), floatsOf(straight.read(0, 6)));
    assert.deepEqual(resumed.slots(0), straight.slots(0));
    resumed.restore(0, 3, weights, straight.slots(0));
    assert.equal(resumed.version(0), 3);
    assert.equal(resumed.read(0, 2), undefined, 'what was there before is of no version');
  });

  it('stops a sum that is not finite before it reaches the weights', () => {
    for (const clipping of [{}, { clipValue: 0.5 }])
      for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
        const store = storeOf({ ...adam, ...clipping }, [[whole(3)]]);
        store.initialize(0, Float32Array.of(1, 2, 3));
        const sum = bytesOf([1, bad, 1]);
        assert.throws(
          () => store.apply(0, 0, sum, 1, 1),
          /is among the summed gradients of chunk 0$/,
        );
        assert.throws(() => store.apply(0, 0, sum, 1, 1), hasCode('NOT_FINITE'));
        assert.equal(store.version(0), 0);
        assert.deepEqual(floatsOf(store.read(0, 0)), [1, 2, 3]);
      }
  });

  it('stops weights that overflow', () => {
    const store = storeOf({ name: 'sgd', learningRate: 1e30 }, [[whole(1)]]);
    store.initialize(0, Float32Array.of(1));
    assert.throws(() => store.apply(0, 0, bytesOf([1e30]), 1, 1), /weights after the update/);
    assert.equal(store.version(0), 0);
  });

  it('refuses misuse', () => {
    const store = storeOf(adam, [[whole(2)]], 4);
    const values = Float32Array.of(1, 2);
    const bad = hasCode('INTERNAL');
    assert.throws(() => store.apply(0, 4, bytesOf([1, 2]), 1, 1), /no weights yet/);
    assert.throws(() => store.read(3, 0), /Chunk 3 is not held here; chunks 4 to 4 are/);
    assert.throws(() => store.initialize(4, Float32Array.of(1)), bad);
    assert.throws(() => store.initialize(4, values, -1), bad);
    store.initialize(4, values);
    assert.throws(() => store.initialize(4, values), /initialized already/);
    assert.throws(() => store.apply(0, 4, bytesOf([1]), 1, 1), /8 bytes, the sum 4/);
    assert.throws(() => store.apply(0, 4, bytesOf([1, 2]), 0, 1), /0 examples/);
    assert.throws(() => store.restore(4, 1, values, [values]), /2 slots of 2 floats/);
    assert.throws(() => storeOf(adam, [[whole(1), whole(1, { start: 2 })]]), bad);
    store.free();
    assert.equal(store.version(4), undefined);
  });
});
