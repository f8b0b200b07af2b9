import type { Expression } from '@tutti/parameters';
import type { tf } from '../tf.js';
import { expand, type StoredTensor } from './expand.js';
import type { Leaves } from './leaves.js';

/**
 * x W for x [n, rows], factor by factor: W is never made. What it costs is what the rule for its use
 * (`useOf`) counts.
 */
export function applyTo(
  x: tf.Tensor,
  expression: Expression,
  stored: StoredTensor,
  leaves: Leaves,
): tf.Tensor {
  const apply = (rows: tf.Tensor, node: Expression) => applyTo(rows, node, stored, leaves);
  const tensor = (node: Expression) => expand(node, stored, leaves);
  switch (expression.op) {
    case 'matmul':
      return apply(apply(x, expression.left), expression.right);
    case 'add':
      return apply(x, expression.left).add(apply(x, expression.right));
    case 'scale': {
      const { of: input, by } = expression;
      if (typeof by === 'number') return apply(x, input).mul(by);
      if (by.shape[0] === 1) return apply(x, input).mul(tensor(by));
      if (by.shape[1] === 1) return apply(x.mul(tensor(by).reshape([1, -1])), input);
      break;
    }
    case 'kronecker':
      return applyKronecker(x, tensor(expression.left), tensor(expression.right));
  }
  return x.matMul(tensor(expression));
}

/** x (P kron Q): each x as a matrix X, P^T X Q. */
function applyKronecker(x: tf.Tensor, p: tf.Tensor, q: tf.Tensor): tf.Tensor {
  const [[a, b], [c, d]] = [p.shape as [number, number], q.shape as [number, number]];
  const right = x.reshape([-1, c]).matMul(q);
  const turned = right.reshape([-1, a, d]).transpose([0, 2, 1]).reshape([-1, a]);
  const left = turned.matMul(p);
  return left
    .reshape([-1, d, b])
    .transpose([0, 2, 1])
    .reshape([-1, b * d]);
}
