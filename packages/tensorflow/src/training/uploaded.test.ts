import assert from 'node:assert/strict';
import { tf } from '../tf.js';
import { uploaded } from './uploaded.js';

describe('an uploaded tensor', () => {
  const values = Float32Array.from({ length: 6 }, (_, at) => at + 0.5);

  it('keeps its values when the array is used for something else', () => {
    const given = values.slice();
    const tensor = uploaded(given, [2, 3]);
    given.fill(-1);
    assert.deepEqual(tensor.shape, [2, 3]);
    assert.deepEqual(tensor.dataSync(), values);
    assert.deepEqual(
      tf.tidy(() => tensor.sum().dataSync()[0]),
      18,
    );
    tensor.dispose();
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
