import assert from 'node:assert/strict';
import { type Block, createKernels } from '@tutti/kernels';
import { createLayout } from '@tutti/parameters';
import fc from 'fast-check';
import { createChunker } from './chunker.js';

const declared = [
  { name: 'a', shape: [3] },
  { name: 'b', shape: [2, 5] },
  { name: 'c', shape: [1] },
  { name: 'd', shape: [6] },
];
const layout = createLayout(declared, 8);
const kernels = createKernels();
const values: Record<string, Float32Array> = Object.fromEntries(
  layout.parameters.map(({ name, size, offset }) => [
    name,
    Float32Array.from({ length: size }, (_, at) => offset + at),
  ]),
);
const faults = {
  broken: (message: string) => new Error(message),
  notFinite: (position: number, value: number) => new Error(`${value} at ${position}`),
};

function collector() {
  const chunks = new Map<number, number[]>();
  const take = (chunk: number, block: Block) => {
    assert.ok(!chunks.has(chunk));
    chunks.set(chunk, [...block.values]);
    kernels.free(block);
  };
  return { chunks, chunker: createChunker({ layout, kernels, take, faults }) };
}

describe('chunker', () => {
  it('gives out the same chunks in whatever order the parameters come', () => {
    const names = declared.map(({ name }) => name);
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: 4 }), fc.nat(4), (order, early) => {
        const { chunks, chunker } = collector();
        for (const name of order.slice(0, early)) chunker.give(name, values[name]);
        chunker.giveRest(values);
        const flat = [0, 1, 2].flatMap((chunk) => chunks.get(chunk)!);
        assert.deepEqual(flat, [...Array(20).keys()]);
        assert.equal(chunker.maxAbs(), 19);
      }),
    );
  });

  it('copies values that lie elsewhere to where they belong', () => {
    const { chunks, chunker } = collector();
    for (const [name, from] of Object.entries(values))
      chunker.give(name, {
        length: from.length,
        copyTo: (target: Float32Array, at: number) =>
          target.forEach((_, i) => {
            target[i] = from[at + i]!;
          }),
      });
    const flat = [0, 1, 2].flatMap((chunk) => chunks.get(chunk)!);
    assert.deepEqual(flat, [...Array(20).keys()]);
  });

  it('gives out a chunk as soon as the last of its parameters is there', () => {
    const { chunks, chunker } = collector();
    chunker.give('d', values.d);
    assert.deepEqual([...chunks.keys()], [2]);
    chunker.give('b', values.b);
    assert.deepEqual([...chunks.keys()], [2]);
    chunker.give('c', values.c);
    assert.deepEqual([...chunks.keys()], [2, 1]);
    chunker.give('a', values.a);
    assert.deepEqual([...chunks.keys()], [2, 1, 0]);
  });

  it('names what is not finite before it is given out', () => {
    const { chunks, chunker } = collector();
    const broken = values.d!.slice();
    broken[4] = Number.NaN;
    assert.throws(() => chunker.give('d', broken), { message: 'NaN at 18' });
    assert.equal(chunks.size, 0);
    chunker.release();
  });

  it('refuses what the contract does not allow', () => {
    const cases: [string, unknown, RegExp][] = [
      ['x', values.a, /"x", which is no stored parameter/],
      ['a', [1, 2, 3], /no Float32Array for "a"/],
      ['a', values.b, /10 values for "a", whose shape \[3\] has 3/],
    ];
    for (const [name, given, message] of cases) {
      const { chunker } = collector();
      assert.throws(() => chunker.give(name, given), message);
      chunker.release();
    }
    const { chunker } = collector();
    chunker.give('a', values.a);
    assert.throws(() => chunker.give('a', values.a), /gave "a" twice/);
    assert.throws(() => chunker.giveRest(undefined as never), /no named arrays/);
    chunker.release();
  });
});
