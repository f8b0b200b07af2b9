import assert from 'node:assert/strict';
import { tf } from '../tf.js';
import { uploaded } from './uploaded.js';

describe('an uploaded tensor', () => {
  const values = Float32Array.from({ length: 6 }, (_, at) => at + 0.5);

  it('has the values, wherever in memory they lie, and nothing writes to them', () => {
    // It starts on a page, so TensorFlow reads it in place from multiples of 64 bytes.
    const memory = new Float32Array(new WebAssembly.Memory({ initial: 2, maximum: 2 }).buffer);
    for (const from of [0, 1, 4, 8, 16, 31, 32]) {
      const given = memory.subarray(from, from + 10_000);
      given.forEach((_, at) => {
        given[at] = at % 7;
      });
      const before = given.slice();
      const tensor = uploaded(given, [100, 100]);
      // Operations that would be done in the memory of their input, if that were free.
      const changed = tf.tidy(() => tf.neg(tf.relu(tensor.add(1).sub(tensor).sub(2))).dataSync());
      assert.ok(changed.every((value) => value === 0));
      tf.tidy(() => tf.neg(tensor).add(tensor.square()).relu().dataSync());
      assert.deepEqual(given, before);
      assert.deepEqual(tensor.shape, [100, 100]);
      assert.deepEqual(tensor.dataSync(), before);
      tensor.dispose();
    }
  });

  it('gives values that are no part of the array', () => {
    const given = values.slice();
    const tensor = uploaded(given, [6]);
    assert.notEqual((tensor.dataSync() as Float32Array).buffer, given.buffer);
    tensor.dispose();
  });

  it('leaves no tensor behind', () => {
    const before = tf.memory();
    uploaded(values, [6]).dispose();
    const { numTensors, numBytes } = tf.memory();
    assert.deepEqual(
      { numTensors, numBytes },
      { numTensors: before.numTensors, numBytes: before.numBytes },
    );
  });
});
