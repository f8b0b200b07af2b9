import assert from 'node:assert/strict';
import { type Expression, evaluate } from '@tutti/parameters';
import { tf } from '../tf.js';
import { expand } from './expand.js';
import type { Leaves } from './leaves.js';

describe('an expression as operations of TensorFlow', () => {
  it('joins as the evaluator in plain loops does, along any dimension', () => {
    const none = { constant: () => assert.fail(), rows: () => assert.fail() } as unknown as Leaves;
    for (const axis of [0, 1, 2]) {
      const parts = [1, 3].map((extent, at): Expression & { op: 'stored' } => ({
        op: 'stored',
        name: String(at),
        shape: [2, 3, 4].with(axis, extent),
      }));
      const values = parts.map(({ shape }, at) =>
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => 100 * at + i),
      );
      const shape = [2, 3, 4].with(axis, 4);
      const joined: Expression = { op: 'concat', of: parts, axis, shape };
      const reference = evaluate(joined, {
        stored: (name) => values[Number(name)]!,
        constant: () => assert.fail(),
      });
      const [given, tensor] = tf.tidy(() => {
        const tensors = parts.map((part, at) => tf.tensor(values[at]!, [...part.shape]));
        const result = expand(joined, (name) => tensors[Number(name)]!, none);
        return [result.dataSync(), result.shape];
      });
      assert.deepEqual([[...given], tensor], [[...reference], shape]);
    }
  });
});
