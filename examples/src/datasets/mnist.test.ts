import assert from 'node:assert/strict';
import { mnist } from './mnist.js';

describe('mnist', () => {
  it('has 60,000 and 10,000 digits, the first of them a five and a seven', async () => {
    const { training, evaluation } = await mnist();
    assert.deepEqual([training.size, evaluation.size], [60000, 10000]);
    for (const [dataset, label, mean] of [
      [training, 5, 0.138],
      [evaluation, 7, 0.092],
    ] as const) {
      const { x, y } = await dataset.read([0]);
      assert.deepEqual([x!.shape, y!.shape, [...y!.data]], [[1, 28, 28, 1], [1], [label]]);
      assert.ok(x!.data instanceof Float32Array && y!.data instanceof Int32Array);
      const sum = x!.data.reduce((total, pixel) => total + pixel, 0);
      assert.ok(Math.abs(sum / 784 - mean) < 0.001, `mean ${sum / 784}`);
      assert.equal(Math.max(...x!.data), 1);
    }
  });

  it('has every digit about as often', async () => {
    const { training } = await mnist();
    const { y } = await training.read(Array.from({ length: 60000 }, (_, i) => i));
    const counts = new Array<number>(10).fill(0);
    for (const label of y!.data) counts[label]!++;
    assert.deepEqual(counts, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  });
});
