import assert from 'node:assert/strict';
import { type Expression, evaluate } from '@tutti/parameters';
import { tf } from '../tf.js';
import { tidied } from '../tfjs/tidied.js';
import { expand } from './expand.js';
import { createLeaves, type Leaves } from './leaves.js';

const constant: Expression = {
  op: 'constant',
  shape: [2, 3, 4],
  source: { kind: 'given', values: Float32Array.from({ length: 24 }, (_, i) => Math.cos(i)) },
};
const stored: Expression = { op: 'stored', name: 'theta', shape: [2, 3, 4] };
const turned: Expression = {
  op: 'transpose',
  of: stored,
  permutation: [2, 0, 1],
  shape: [4, 2, 3],
};
const part: Expression = { op: 'slice', of: turned, begin: [1, 0, 1], shape: [3, 2, 2] };

/** What kinds do not make of themselves, or only in part. */
const expressions: Record<string, Expression> = {
  constant,
  'dimensions in another order': turned,
  'a part': part,
  'parts beside each other': { op: 'concat', of: [part, part, part], axis: 2, shape: [3, 2, 6] },
  'sums of the last dimension': {
    op: 'sum',
    of: { op: 'add', left: stored, right: constant, shape: [2, 3, 4] },
    shape: [2, 3],
  },
  'factors of one dimension': {
    op: 'scale',
    of: stored,
    by: { op: 'slice', of: constant, begin: [0, 1, 0], shape: [2, 1, 4] },
    shape: [2, 3, 4],
  },
  ...Object.fromEntries(
    ([1, -1] as const).flatMap((direction) =>
      [0, 3].map((start): [string, Expression] => [
        `rows from ${start} on, shifted by ${direction}`,
        { op: 'shear', of: stored, start, direction, shape: [2, 3, 6, 5] },
      ]),
    ),
  ),
};

describe('expand', () => {
  for (const [name, expression] of Object.entries(expressions))
    it(`gives ${name} as the plain evaluator does, and its gradient`, () => {
      const theta = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
      const given = {
        stored: (): ArrayLike<number> => theta,
        constant: () => (constant as { source: { values: Float32Array } }).source.values,
      };
      const expected = evaluate(expression, given);
      const leaves = createLeaves({ constant: given.constant });
      tidied(() => {
        const factors = Float32Array.from(expected, (_, i) => 1 + (i % 5));
        let values: ArrayLike<number> = [];
        const loss = (tensor: tf.Tensor) => {
          const result = expand(expression, () => tensor, leaves);
          assert.deepEqual(result.shape, expression.shape);
          values = result.dataSync();
          return result.reshape([-1]).mul(tf.tensor1d(factors)).sum();
        };
        const input = tf.tensor(theta.slice(), [2, 3, 4]);
        const found =
          name === 'constant'
            ? new Float32Array(24)
            : (tf
                .grad((x) => loss(x as tf.Tensor))(input)
                .dataSync() as Float32Array);
        if (name === 'constant') loss(input);
        for (const [i, value] of expected.entries()) assert.ok(Math.abs(values[i]! - value) < 1e-6);
        for (let j = 0; j < 24; j++) {
          const moved = {
            ...given,
            stored: () => theta.map((value, i) => value + (i === j ? 1 : 0)),
          };
          const slope = evaluate(expression, moved).reduce(
            (sum, value, i) => sum + (value - expected[i]!) * factors[i]!,
            0,
          );
          assert.ok(Math.abs(found[j]! - slope) < 1e-4, `${j}: ${found[j]}, not ${slope}`);
        }
      });
      leaves.dispose();
    });

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
