import assert from 'node:assert/strict';
import { TuttiError } from '@tutti/runtime';
import fc from 'fast-check';
import type { Block, Kernels } from './contract.js';
import { createKernels } from './kernels.js';

const floats = (maxLength = 70) =>
  fc.array(fc.float({ noDefaultInfinity: true, noNaN: true }), { maxLength });

function blockOf(kernels: Kernels, values: ArrayLike<number>): Block {
  const block = kernels.allocate(values.length);
  block.values.set(Float32Array.from(values));
  return block;
}

function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(Float32Array.from(values).buffer);
}

const isInternal = (error: unknown) => error instanceof TuttiError && error.code === 'INTERNAL';

describe('kernels', () => {
  it('add is the float32 sum of each element, also in place', () => {
    const kernels = createKernels();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.float(), fc.float()), { maxLength: 70 }), (pairs) => {
        const left = blockOf(
          kernels,
          pairs.map(([value]) => value),
        );
        const right = blockOf(
          kernels,
          pairs.map(([, value]) => value),
        );
        const target = kernels.allocate(pairs.length);
        const expected = pairs.map(([a, b]) => Math.fround(a + b));
        kernels.add(target, left, right);
        assert.deepEqual([...target.values], expected);
        kernels.add(left, left, right);
        assert.deepEqual([...left.values], expected);
        for (const block of [left, right, target]) kernels.free(block);
      }),
    );
  });

  it('add returns the largest magnitude of what it made', () => {
    const kernels = createKernels();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.float(), fc.float()), { maxLength: 70 }), (pairs) => {
        const [left, right] = [0, 1].map((at) =>
          blockOf(
            kernels,
            pairs.map((pair) => pair[at]!),
          ),
        ) as [Block, Block];
        const largest = kernels.add(left, left, right);
        assert.ok(Object.is(largest, kernels.maxAbs(left)));
        for (const block of [left, right]) kernels.free(block);
      }),
    );
  });

  it('knows the block that bytes are of, by the view that it gave', () => {
    const kernels = createKernels();
    const block = blockOf(kernels, [1, 2, 3]);
    const { bytes } = block;
    assert.equal(kernels.blockOf(bytes), block);
    assert.equal(kernels.blockOf(bytes.subarray(0)), undefined);
    assert.equal(createKernels().blockOf(bytes), undefined);
    kernels.free(block);
    assert.equal(kernels.blockOf(bytes), undefined);
  });

  it('add writes nothing beyond its target', () => {
    const kernels = createKernels();
    for (let length = 1; length < 40; length++) {
      const target = kernels.allocate(length);
      const after = blockOf(kernels, [7, 7, 7, 7]);
      const one = blockOf(kernels, new Float32Array(length).fill(1));
      kernels.add(target, one, one);
      assert.deepEqual([...after.values], [7, 7, 7, 7]);
      assert.ok(target.values.every((value) => value === 2));
    }
  });

  it('maxAbs is the largest magnitude in the range', () => {
    const kernels = createKernels();
    fc.assert(
      fc.property(floats(), fc.nat(70), fc.nat(70), (values, from, count) => {
        const block = blockOf(kernels, values);
        const start = Math.min(from, values.length);
        const length = Math.min(count, values.length - start);
        const expected = Math.max(
          0,
          ...values.slice(start, start + length).map((value) => Math.abs(Math.fround(value))),
        );
        assert.equal(kernels.maxAbs(block, start, length), expected);
        kernels.free(block);
      }),
    );
  });

  it('maxAbs tells NaN from infinity at every position', () => {
    const kernels = createKernels();
    for (let length = 1; length <= 19; length++) {
      for (let at = 0; at < length; at++) {
        const values = new Float32Array(length).fill(-1);
        values[at] = Number.NEGATIVE_INFINITY;
        assert.equal(kernels.maxAbs(blockOf(kernels, values)), Number.POSITIVE_INFINITY);
        values[(at + 1) % length] = Number.NaN;
        assert.ok(Number.isNaN(kernels.maxAbs(blockOf(kernels, values))));
      }
    }
  });

  it('sumOfSquares adds in float64 in the documented order', () => {
    const kernels = createKernels();
    fc.assert(
      fc.property(floats(), fc.nat(8), (values, from) => {
        const block = blockOf(kernels, values);
        const start = Math.min(from, values.length);
        const sums = [0, 0, 0, 0];
        values.slice(start).forEach((value, index) => {
          sums[index % 4]! += value * value;
        });
        const expected = sums[0]! + sums[1]! + (sums[2]! + sums[3]!);
        assert.equal(kernels.sumOfSquares(block, start), expected);
        kernels.free(block);
      }),
    );
  });

  it('blocks do not overlap, are aligned, and survive growth of the memory', () => {
    const kernels = createKernels();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.boolean()), { maxLength: 40 }),
        (requests) => {
          const alive: { block: Block; mark: number }[] = [];
          for (const [length, release] of requests) {
            const mark = Math.fround(Math.sin(alive.length + length));
            const block = kernels.allocate(length);
            assert.equal(block.values.byteOffset % 64, 0);
            block.values.fill(mark);
            alive.push({ block, mark });
            if (release) kernels.free(alive.splice(length % alive.length, 1)[0]!.block);
          }
          for (const { block, mark } of alive) {
            assert.ok(block.values.every((value) => value === mark));
            assert.equal(block.bytes.length, block.length * 4);
            kernels.free(block);
          }
        },
      ),
    );
    const early = blockOf(kernels, [1, 2, 3]);
    const { values } = early;
    kernels.allocate(1_000_000);
    assert.equal(values.length, 0, 'growing detaches old views');
    assert.deepEqual([...early.values], [1, 2, 3]);
    assert.deepEqual(bits(early.values), new Uint32Array(early.bytes.slice().buffer));
  });

  it('freed memory of a size serves the next block of that size', () => {
    const kernels = createKernels();
    const first = kernels.allocate(65_536);
    const { byteOffset } = first.values;
    kernels.free(first);
    assert.equal(kernels.allocate(65_536).values.byteOffset, byteOffset);
  });

  it('misuse is refused', () => {
    const kernels = createKernels();
    const block = blockOf(kernels, [1, 2, 3]);
    const foreign = createKernels().allocate(3);
    assert.throws(() => kernels.add(block, block, foreign), isInternal);
    assert.throws(() => kernels.add(block, block, kernels.allocate(4)), isInternal);
    assert.throws(() => kernels.maxAbs(block, 1, 3), isInternal);
    assert.throws(() => kernels.maxAbs(block, -1, 1), isInternal);
    assert.throws(() => kernels.allocate(1.5), isInternal);
    assert.throws(() => kernels.allocate(2 ** 31), /WebAssembly/);
    const rule = { kind: 'adagrad', learningRate: 0.1, epsilon: 1e-7 } as const;
    const plain = { divisor: 1, weightDecay: 0, scale: 1, clipValue: Number.POSITIVE_INFINITY };
    assert.throws(() => kernels.update(rule, plain, block, block, [], 0, 3), /1 slots/);
    kernels.free(block);
    assert.throws(() => kernels.free(block), isInternal);
    assert.throws(() => block.values, isInternal);
    assert.throws(() => kernels.maxAbs(block), isInternal);
  });
});
