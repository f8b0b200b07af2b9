import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Block, GROUP, type Rounding } from './contract.js';
import { createKernels } from './kernels.js';

const kernels = createKernels();

function blockOf(values: ArrayLike<number>): Block {
  const block = kernels.allocate(values.length);
  block.values.set(Float32Array.from(values));
  return block;
}

const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;
const floatOf = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0]!;

/** Ties to even; what is too large becomes the largest. */
function bf16(value: number): number {
  const bits = bitsOf(value);
  const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  const result = floatOf(rounded >>> 0);
  return Number.isFinite(result) ? result : Math.sign(value) * floatOf(0x7f7f0000);
}

function fp16(value: number): number {
  const size = Math.abs(value);
  if (size >= 65_520) return Math.sign(value) * 65_504;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const unit = 2 ** ((2 ** (exponent + 1) <= size ? exponent + 1 : exponent) - 10);
  const steps = size / unit;
  const down = Math.floor(steps);
  const [rest, odd] = [steps - down, down % 2 === 1];
  return Math.sign(value) * (rest > 0.5 || (rest === 0.5 && odd) ? down + 1 : down) * unit;
}

/** Wellons' lowbias32, its upper half. */
function chance(key: number, position: number): number {
  let h = (Math.imul(position, 0x9e3779b1) + key) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 16) / 65_536;
}

function int8(values: Float32Array, key: number, position: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let from = 0; from < values.length; from += GROUP) {
    const group = values.subarray(from, from + GROUP);
    const largest = group.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0) continue;
    let exponent = Math.max(((bitsOf(largest) >>> 23) & 255) - 127 - 6, -119);
    if (largest / 2 ** exponent > 127) exponent++;
    for (const [i, value] of group.entries()) {
      const at = from + i;
      const scaled = Math.fround(value / 2 ** exponent);
      const whole = Math.floor(Math.fround(scaled + chance(key, position + at)));
      result[at] = whole * 2 ** exponent + 0;
    }
  }
  return result;
}

const reference: Record<
  Rounding['to'],
  (values: Float32Array, key: number, position: number) => Float32Array
> = {
  bf16: (values) => values.map(bf16),
  fp16: (values) => values.map(fp16),
  int8,
};

const finite = fc.float({ noDefaultInfinity: true, noNaN: true });
const usual = fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround);
const lengths = fc.nat(3 * GROUP);
/** Values of any magnitude, or as in a gradient. */
const values = lengths.chain((length) =>
  fc.oneof(
    fc.array(finite, { minLength: length, maxLength: length }),
    fc.array(usual, { minLength: length, maxLength: length }),
  ),
);
const anyKey = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const roundingTo = (to: Rounding['to'], key: number): Rounding =>
  to === 'int8' ? { to, key } : { to };

describe('rounding', () => {
  for (const to of ['bf16', 'fp16', 'int8'] as const) {
    it(`to ${to} gives the bits of a plain reference, and writes nothing beyond`, () => {
      fc.assert(
        fc.property(values, anyKey, fc.nat(2 ** 31), (given, key, position) => {
          const expected = reference[to](Float32Array.from(given), key, position);
          const block = blockOf(given);
          const after = blockOf([7, 7, 7, 7]);
          kernels.round(roundingTo(to, key), block, position);
          assert.deepEqual([...block.values].map(bitsOf), [...expected].map(bitsOf));
          assert.deepEqual([...after.values], [7, 7, 7, 7]);
          kernels.free(block);
          kernels.free(after);
        }),
      );
    });
  }

  for (const to of ['bf16', 'fp16'] as const)
    it(`to ${to} again changes nothing`, () => {
      fc.assert(
        fc.property(values, (given) => {
          const block = blockOf(given);
          kernels.round({ to }, block, 0);
          const once = [...block.values];
          kernels.round({ to }, block, 0);
          assert.deepEqual([...block.values], once);
          kernels.free(block);
        }),
      );
    });

  it('to int8 has the value as its expectation', () => {
    const given = Float32Array.from({ length: GROUP }, (_, i) => Math.fround(Math.sin(i) * 0.01));
    const mean = new Float64Array(GROUP);
    const times = 4_000;
    for (let key = 0; key < times; key++) {
      const block = blockOf(given);
      kernels.round({ to: 'int8', key: Math.imul(key, 0x85ebca6b) >>> 0 }, block, 0);
      for (const [i, value] of block.values.entries()) mean[i]! += value / times;
      kernels.free(block);
    }
    // The scale is 2^-13: half of it is the largest deviation of one, and of the mean 63 times less.
    const bound = (5 * 2 ** -13 * 0.5) / Math.sqrt(times);
    for (const [i, value] of mean.entries())
      assert.ok(Math.abs(value - given[i]!) < bound, `${i}: ${value} for ${given[i]}`);
  });

  it('does not depend on how a vector is split into ranges of whole groups', () => {
    const given = Float32Array.from({ length: 3 * GROUP + 17 }, (_, i) => Math.sin(i * i));
    const [whole, parts] = [blockOf(given), blockOf(given)];
    kernels.round({ to: 'int8', key: 5 }, whole, 1_000);
    kernels.round({ to: 'int8', key: 5 }, parts, 1_000 + GROUP, GROUP);
    kernels.round({ to: 'int8', key: 5 }, parts, 1_000, 0, GROUP);
    assert.deepEqual([...parts.values], [...whole.values]);
    assert.throws(() => kernels.round({ to: 'bf16' }, parts, 0, 1), /within a group/);
  });
});

describe('packing', () => {
  function packed(block: Block): Uint8Array {
    const bytes = kernels.pack(block).slice();
    const back = kernels.allocate(block.length);
    kernels.unpack(bytes, back);
    assert.deepEqual([...back.values].map(bitsOf), [...block.values].map(bitsOf));
    kernels.free(back);
    return bytes;
  }

  it('loses no bit of anything', () => {
    const wild = fc.oneof(
      fc.float(),
      finite,
      fc.constantFrom(0, -0, 1, -127, 2 ** -126, 2 ** -149),
    );
    fc.assert(
      fc.property(fc.array(wild, { maxLength: 2 * GROUP }), (given) => {
        // Other patterns of NaN are no matter.
        const block = blockOf(given);
        packed(block);
        kernels.free(block);
      }),
    );
  });

  it('takes 1 byte an element of int8, 2 of bf16 and fp16, and of sums of int8, also exact ones', () => {
    const length = 8 * GROUP;
    const shard = (seed: number, to: Rounding['to']) => {
      const block = blockOf(
        Float32Array.from({ length }, (_, i) => 0.01 * Math.sin((i + 1) * (seed + 2) * 1.7)),
      );
      kernels.round(roundingTo(to, seed), block, 0);
      return block;
    };
    const header = 2 * 8;
    assert.equal(packed(shard(1, 'int8')).length, length + header);
    assert.equal(packed(shard(1, 'bf16')).length, 2 * length + header);
    assert.equal(packed(shard(1, 'fp16')).length, 2 * length + header);
    const sum = shard(1, 'int8');
    for (let seed = 2; seed <= 16; seed++) kernels.add(sum, sum, shard(seed, 'int8'));
    assert.equal(packed(sum).length, 2 * length + header);
    // Whole numbers of fewer than 24 bits: any order of additions gives the same.
    const other = shard(16, 'int8');
    for (let seed = 15; seed >= 1; seed--) kernels.add(other, other, shard(seed, 'int8'));
    assert.deepEqual([...other.values], [...sum.values]);
  });

  it('takes nothing but a header for zeros, and what has no shorter form as it is', () => {
    assert.equal(packed(blockOf(new Float32Array(GROUP))).length, 4);
    const wild = Float32Array.from({ length: GROUP }, (_, i) => Math.sin(i + 1));
    assert.equal(packed(blockOf(wild)).length, 4 + 4 * GROUP);
  });

  it('refuses bytes that are not those of so many elements', () => {
    const block = blockOf(Float32Array.from({ length: GROUP + 3 }, Math.cos));
    const bytes = kernels.pack(block).slice();
    const bad = [
      bytes.subarray(0, bytes.length - 4),
      Uint8Array.of(...bytes, 0, 0, 0, 0),
      Uint8Array.of(...bytes, 0),
      bytes.map((byte, i) => (i === 0 ? 9 : byte)),
      new Uint8Array(0),
      new Uint8Array(1 << 20),
    ];
    for (const each of bad) assert.throws(() => kernels.unpack(each, block), RangeError);
  });
});
