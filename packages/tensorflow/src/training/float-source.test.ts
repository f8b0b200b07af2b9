import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { addonOrigin } from '@tutti/tensorflow-setup/internal';
import type { FloatSource } from '@tutti/worker';
import { copyOf } from '../testing.js';
import { tf } from '../tf.js';
import { overriding } from '../tfjs/overrides.js';
import { floatSource } from './float-source.js';

type CopyValues = (tensor: number, from: number, target: Float32Array) => void;

interface Backend {
  readonly binding: { copyValues?: CopyValues };
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
}

const backend = () => tf.backend() as unknown as Backend;

/** Bits of all kinds, also of what is not a number. */
const bits = (length: number) =>
  Uint32Array.from({ length }, (_, at) => Math.imul(at + 1, 0x9e3779b1));
const floats = (length: number) => new Float32Array(bits(length).buffer);
const bitsOf = ({ buffer, byteOffset, length }: Float32Array) =>
  new Uint32Array(buffer, byteOffset, length);

/** Through TensorFlow: what it has computed, not what it was given. */
const computed = (values: Float32Array) =>
  tf.tidy(() => tf.tensor1d(values).expandDims(0).tile([2, 1]).slice([1, 0]).squeeze([0]));

const { resolve } = createRequire(import.meta.url);
const isOwn = addonOrigin(dirname(resolve('@tensorflow/tfjs-node/package.json'))) === 'own';

describe('the values of a tensor', () => {
  const ways = [
    { addon: 'that Tutti builds', without: [] },
    { addon: 'of tfjs-node itself', without: ['copyValues'] },
  ];
  for (const { addon, without } of ways)
    it(`are copied with all bits, by the addon ${addon}`, () => {
      const target = backend().binding;
      overriding(
        without.map((property) => ({ target, property, value: undefined })),
        () => {
          for (const length of [1, 2, 7, 1000, 300_001]) {
            const tensor = computed(floats(length));
            const copy = copyOf(floatSource(tensor));
            tensor.dispose();
            assert.deepEqual(bitsOf(copy), bits(length));
          }
        },
      );
    });

  it('are copied from where they are by the addon that Tutti builds, and by no other', () => {
    const tensor = computed(floats(3));
    const source = floatSource(tensor);
    tensor.dispose();
    assert.equal(source instanceof Float32Array, !isOwn);
  });

  it('are those that JavaScript gave, too', () => {
    const tensor = tf.tensor1d(floats(5));
    assert.deepEqual(bitsOf(copyOf(floatSource(tensor))), bits(5));
    tensor.dispose();
  });

  it('fill a part of WebAssembly memory, and nothing beside it', () => {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const block = new Float32Array(buffer, 64, 12).fill(9);
    const tensor = computed(Float32Array.of(1, 2, 3, 4));
    const source = floatSource(tensor);
    const part = block.subarray(5, 8);
    if (source instanceof Float32Array) part.set(source.subarray(1));
    else source.copyTo(part, 1);
    tensor.dispose();
    assert.deepEqual([...block], [9, 9, 9, 9, 9, 2, 3, 4, 9, 9, 9, 9]);
  });

  describe('where the addon copies them', () => {
    let copyValues: CopyValues;
    before(function () {
      if (!isOwn) this.skip();
      copyValues = backend().binding.copyValues!;
    });

    it('are refused where there are none', () => {
      const one = computed(Float32Array.of(1, 2, 3));
      const other = tf.tensor1d([1, 2, 3], 'int32');
      const [floats, integers] = backend().getInputTensorIds([one, other]) as [number, number];
      const target = new Float32Array(2);
      for (const from of [2, 4, -1, 2 ** 40])
        assert.throws(() => copyValues(floats, from, target), /more values than the tensor has/);
      assert.throws(() => copyValues(integers, 0, target), /not float32/);
      const any = copyValues as (...args: unknown[]) => void;
      for (const args of [[], [floats, 0], ['1', 0, target], [floats, 0, new Uint8Array(4)]])
        assert.throws(() => any(...args), /takes a tensor, a position and a Float32Array/);
      tf.dispose([one, other]);
      assert.throws(() => copyValues(floats, 0, target), /no tensor/);
      assert.deepEqual([...target], [0, 0]);
    });

    it('leave no memory behind', () => {
      const bytes = 4 << 20;
      const values = floats(bytes / 4).fill(1);
      const target = new Float32Array(values.length);
      const once = () => {
        const tensor = computed(values);
        (floatSource(tensor) as FloatSource).copyTo(target, 0);
        tensor.dispose();
      };
      for (let i = 0; i < 10; i++) once();
      const before = process.memoryUsage();
      for (let i = 0; i < 100; i++) once();
      const after = process.memoryUsage();
      // Nobody collects garbage: there is none.
      assert.ok(after.arrayBuffers - before.arrayBuffers < bytes);
      assert.ok(after.rss - before.rss < 20 * bytes, `${after.rss - before.rss} bytes more`);
    });
  });
});
