import assert from 'node:assert/strict';
import { tf } from './tf.js';

/** Through the addon: what TensorFlow has computed, not what it was given. */
const computed = (tensor: tf.Tensor) =>
  tf.tidy(() => tf.concat([tensor, tensor]).slice([0], [tensor.size]).dataSync());

describe('values that the addon gives', () => {
  it('are all there, and nothing beside them', () => {
    for (const length of [0, 1, 7, 1000, 100_000]) {
      const values = Float32Array.from({ length }, (_, at) => at - 3);
      const given = computed(tf.tensor1d(values)) as Float32Array;
      assert.deepEqual(given, values);
      assert.equal(given.byteOffset, 0);
      assert.equal(given.buffer.byteLength, 4 * length);
    }
  });

  it('are those of other types, too', () => {
    assert.deepEqual([...computed(tf.tensor1d([1, -2], 'int32'))], [1, -2]);
    assert.deepEqual([...computed(tf.tensor1d([1, 0, 1], 'bool'))], [1, 0, 1]);
    assert.deepEqual([...computed(tf.tensor1d(['', 'né'], 'string'))], ['', 'né']);
  });

  it('may pass to another thread', () => {
    const given = computed(tf.tensor1d([1, 2, 3])) as Float32Array;
    const passed = structuredClone(given, { transfer: [given.buffer] });
    assert.deepEqual([...passed], [1, 2, 3]);
    assert.equal(given.length, 0);
  });
});
