import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { tf } from '../tf.js';
import { batchTensors } from './batch-tensors.js';

describe('the tensors of a batch', () => {
  for (const [data, dtype, values] of [
    [Float64Array.of(0.3, 0.7), 'float32', [0.3, 0.7].map(Math.fround)],
    [[0.3, 0.7], 'float32', [0.3, 0.7].map(Math.fround)],
    [Float32Array.of(0.25, -1), 'float32', [0.25, -1]],
    [Int32Array.of(16_777_217, -1), 'int32', [16_777_217, -1]],
    [Uint8Array.of(255, 0), 'int32', [255, 0]],
    [BigInt64Array.of(7n, -7n), 'int32', [7, -7]],
  ] as const)
    it(`keep what a ${data.constructor.name} holds`, () => {
      const batch = { x: { data, shape: [2, 1] } } as unknown as Batch;
      tf.tidy(() => {
        const { x } = batchTensors(batch);
        assert.deepEqual([x!.dtype, x!.shape, [...x!.dataSync()]], [dtype, [2, 1], values]);
      });
    });

  it('are none of what is no number', () => {
    const batch = { x: { data: [1, 'two'], shape: [2] } } as unknown as Batch;
    assert.throws(() => batchTensors(batch), {
      code: 'BAD_DATA',
      message: 'field x is "two", no number, in example 1',
    });
  });
});
