import assert from 'node:assert/strict';
import { readModel } from '@tutti/edge';
import { BODY_AT, below, CHECKSUM_AT, crc32 } from '@tutti/edge/internal';
import { createRandom, isTuttiError, randomState } from '@tutti/runtime';
import fc from 'fast-check';
import type { DrawnWeight } from './encode-tensor.js';
import { fold } from './fold.js';
import type { LayerSpec, ModelSpec } from './model-spec.js';
import { sampleWeights } from './testing.js';
import { writeModel } from './write-model.js';

const linear = { name: 'linear' } as const;

/** What a weight of this size is, by the definition of the draw. */
function expected({ stored, block, sign }: DrawnWeight, size: number, seed: string): Float32Array {
  const random = createRandom('drawn', seed);
  const all: number[] = [];
  while (all.length < size) {
    const row = random.below(stored.length / block);
    const factor = sign && random.uint32() % 2 === 0 ? -1 : 1;
    for (let k = 0; k < block; k++) all.push(factor * stored[row * block + k]!);
  }
  return Float32Array.from(all.slice(0, size));
}

const transposed = (values: Float32Array, rows: number, columns: number) =>
  values.map((_, at) => values[(at % columns) * rows + Math.floor(at / columns)]!);

function drawnWeight(seed: string, change: Partial<DrawnWeight> = {}): DrawnWeight {
  return {
    stored: sampleWeights(seed, 12),
    block: 1,
    sign: true,
    state: randomState('drawn', seed),
    turned: false,
    ...change,
  };
}

const dense = (kernel: DrawnWeight | Float32Array, columns: number): LayerSpec => ({
  kind: 'dense',
  numbers: [columns],
  activations: [linear],
  weights: [kernel, new Float32Array(columns)],
});

const table = (weight: DrawnWeight, words: number, width: number, length: number): ModelSpec => ({
  input: [length],
  layers: [{ kind: 'embedding', numbers: [words, width], weights: [weight] }],
});

/** The kernel that a dense layer shows to examples of a single 1. */
function kernelOf(bytes: Uint8Array, rows: number): Float32Array {
  const { predict } = readModel(bytes);
  const one = (row: number) => Float32Array.from({ length: rows }, (_, at) => (at === row ? 1 : 0));
  return Float32Array.from(Array.from({ length: rows }, (_, row) => [...predict(one(row))]).flat());
}

const draws = fc.record({
  seed: fc.string(),
  rows: fc.integer({ min: 1, max: 30 }),
  columns: fc.integer({ min: 1, max: 30 }),
  blocks: fc.integer({ min: 1, max: 40 }),
  block: fc.integer({ min: 1, max: 9 }),
  sign: fc.boolean(),
  turned: fc.boolean(),
  sparsity: fc.constantFrom(0, 0.5),
  distinct: fc.constantFrom(undefined, 3),
});

describe('the generator of the reader', () => {
  it('draws what createRandom draws, also where many numbers are passed over', () => {
    const bound = fc.oneof(
      fc.integer({ min: 1, max: 2 ** 32 }),
      fc.integer({ min: 2 ** 31, max: 2 ** 31 + 5 }),
      fc.constantFrom(1, 2, 2 ** 32 - 1, 2 ** 32),
    );
    fc.assert(
      fc.property(fc.string(), fc.integer(), fc.array(bound), (name, seed, bounds) => {
        const random = createRandom(name, seed);
        const state = Int32Array.from(randomState(name, seed));
        for (const each of bounds) assert.equal(below(state, each), random.below(each));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a drawn weight', () => {
  it('comes back bit for bit, by rows or by columns, in blocks that fit or do not', () => {
    fc.assert(
      fc.property(draws, ({ seed, rows, columns, blocks, block, sparsity, distinct, ...how }) => {
        const options = distinct === undefined ? { sparsity } : { sparsity, distinct };
        const stored = sampleWeights(seed, blocks * block, options);
        const weight = drawnWeight(seed, { ...how, stored, block });
        const inOrder = expected(weight, rows * columns, seed);
        const whole = how.turned ? transposed(inOrder, rows, columns) : inOrder;
        const { bytes } = writeModel({ input: [rows], layers: [dense(weight, columns)] });
        // A product with 0 turns -0 into 0.
        assert.deepEqual(
          kernelOf(bytes, rows),
          whole.map((value) => value + 0),
        );

        const words = Array.from({ length: 2 * rows }, (_, at) => (at * 7 + 3) % rows);
        const { predict } = readModel(writeModel(table(weight, rows, columns, 2 * rows)).bytes);
        const found = words.flatMap((word) => [
          ...whole.subarray(word * columns, (word + 1) * columns),
        ]);
        assert.deepEqual(predict(words), Float32Array.from(found));
      }),
      { numRuns: 300 },
    );
  });

  it('is looked up in any order, however far the rows lie apart', () => {
    const stored = sampleWeights('apart', 400);
    for (const block of [1, 4, 16]) {
      const weight = drawnWeight('apart', { stored, block });
      const whole = expected(weight, 40_000 * 4, 'apart');
      const words = [39_999, 0, 20_000, 19_999, 3, 127, 128, 129, 511, 512, 513, 2048, 39_998, 7];
      const { predict } = readModel(writeModel(table(weight, 40_000, 4, words.length)).bytes);
      const found = words.flatMap((word) => [...whole.subarray(word * 4, word * 4 + 4)]);
      for (let again = 0; again < 2; again++)
        assert.deepEqual(predict(words), Float32Array.from(found));
    }
  });

  it('is never made where a large table is looked up: memory holds what is stored', () => {
    const weight = drawnWeight('large', { stored: sampleWeights('large', 100_000), block: 16 });
    const { bytes } = writeModel(table(weight, 1_000_000, 16, 2));
    assert.ok(bytes.length < 400_000 + 60, `${bytes.length} bytes`);
    const before = process.memoryUsage().arrayBuffers;
    const model = readModel(bytes);
    model.predict([999_999, 0]);
    // All that was made, unless it has been given back already: 4 bytes a value, and 16 for each 512 rows.
    const taken = process.memoryUsage().arrayBuffers - before;
    assert.ok(taken < 440_000, `${taken} bytes`);
    assert.equal(model.predict([1, 2]).length, 32);
  });

  it('takes the bytes of what is stored in each encoding, and less than 60 besides', () => {
    const size = (stored: Float32Array, kernels: 'exact' | 'float16' | 'int8' | 'int4') =>
      writeModel(
        { input: [784], layers: [dense(drawnWeight('size', { stored }), 10)] },
        { kernels },
      ).bytes.length;
    const all = sampleWeights('size', 5000);
    for (const [kernels, bytes] of [
      ['exact', 20_000],
      ['float16', 10_000],
      ['int8', 5080],
      ['int4', 2814],
    ] as const) {
      const found = size(all, kernels);
      assert.ok(found >= bytes && found < bytes + 60, `${kernels}: ${found}`);
    }
    // 16 values of 4 bits, by a Huffman code.
    assert.ok(size(sampleWeights('size', 5000, { distinct: 16 }), 'exact') < 2500 + 64 + 100);
  });

  it('comes back within the rounding that it is written with', () => {
    const weight = drawnWeight('rounded', { stored: sampleWeights('rounded', 300) });
    const whole = expected(weight, 40 * 50, 'rounded');
    for (const [kernels, most] of [
      ['float16', 0.5 * 2 ** -11],
      ['int8', 0.5 / 127],
      ['int4', 0.5 / 7],
    ] as const) {
      const { bytes } = writeModel({ input: [40], layers: [dense(weight, 50)] }, { kernels });
      const back = kernelOf(bytes, 40);
      for (const [at, value] of whole.entries()) assert.ok(Math.abs(back[at]! - value) <= most);
    }
  });

  it('is of version 2; files that have none stay of version 1, which older readers know', () => {
    const of = (kernel: DrawnWeight | Float32Array) =>
      writeModel({ input: [3], layers: [dense(kernel, 4)] }).bytes;
    const drawn = of(drawnWeight('version'));
    const whole = of(sampleWeights('version', 12));
    assert.deepEqual([drawn[5], whole[5]], [2, 1]);
    for (const [bytes, version, message] of [
      [drawn, 1, /its version is another/],
      [whole, 2, /its version is another/],
      [whole, 0, /its version is another/],
      [drawn, 3, /its version is another/],
      [drawn, 4, /has version 4, but only those up to 3 are known/],
    ] as const)
      assert.throws(
        () => readModel(bytes.with(5, version)),
        (error) => isTuttiError(error) && error.code === 'BAD_MODEL' && message.test(error.message),
      );
  });

  it('counts as what a reader holds: its elements, or the rows that it draws', () => {
    const weight = drawnWeight('held', { stored: sampleWeights('held', 32), block: 8 });
    const looked = writeModel(table(weight, 100, 8, 1)).bytes;
    const whole = writeModel({ input: [100], layers: [dense(weight, 8)] }).bytes;
    // Input and output, what is stored, and 100 rows, or 800 elements and the bias.
    for (const [bytes, held] of [
      [looked, 1 + 8 + 32 + 100],
      [whole, 100 + 8 + 32 + 800 + 8],
    ] as const) {
      assert.ok(readModel(bytes, { maxValues: held }));
      assert.throws(() => readModel(bytes, { maxValues: held - 1 }), { code: 'BAD_MODEL' });
    }
    const rows = (words: number) => writeModel(table(weight, words, 8, 1));
    assert.ok(rows(2 ** 24 - 41));
    assert.throws(() => rows(2 ** 24 - 40), { code: 'BAD_MODEL' });
  });

  it('is refused where what is stored makes no rows, or is no number', () => {
    for (const change of [
      { block: 5 },
      { block: 0 },
      { stored: new Float32Array(0) },
      { stored: new Float32Array(12).fill(Number.NaN) },
    ])
      assert.throws(
        () => writeModel({ input: [3], layers: [dense(drawnWeight('bad', change), 4)] }),
        { code: 'BAD_MODEL' },
      );
  });

  it('is refused in a file whose rows do not fit into what is stored', () => {
    const { bytes } = writeModel({ input: [3], layers: [dense(drawnWeight('rows'), 4)] });
    // Behind the example, the head of the layer, and the first byte of the kernel.
    const at = BODY_AT + 8;
    assert.deepEqual([...bytes.subarray(at, at + 3)], [12, 1, 1]);
    const withRows = (block: number) => {
      const copy = bytes.with(at + 1, block);
      new DataView(copy.buffer).setUint32(CHECKSUM_AT, crc32(copy.subarray(BODY_AT)), true);
      return copy;
    };
    for (const block of [1, 4, 12]) assert.ok(readModel(withRows(block)));
    for (const block of [0, 5, 13])
      assert.throws(() => readModel(withRows(block)), { code: 'BAD_MODEL' });
  });

  it('takes no factors of batch normalisation, which would make many values of few', () => {
    const affine: LayerSpec = {
      kind: 'affine',
      weights: [sampleWeights('factor', 4), sampleWeights('summand', 4)],
    };
    const of = (kernel: DrawnWeight | Float32Array): ModelSpec => ({
      input: [3],
      layers: [dense(kernel, 4), affine],
    });
    assert.equal(fold(of(sampleWeights('whole', 12))).layers.length, 1);
    assert.equal(fold(of(drawnWeight('kept'))).layers.length, 2);
  });
});
