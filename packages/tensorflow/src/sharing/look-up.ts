import type { Expression } from '@tutti/parameters';
import type { tf } from '../tf.js';
import { asRows, expand, gatherRows, type StoredTensor } from './expand.js';
import type { Leaves } from './leaves.js';

/** Rows of a weight [n, columns] by their numbers [k], int32, without the others: [k, columns]. */
export function lookUp(
  ids: tf.Tensor1D,
  expression: Expression,
  stored: StoredTensor,
  leaves: Leaves,
): tf.Tensor {
  const rows = (node: Expression) => lookUp(ids, node, stored, leaves);
  const tensor = (node: Expression) => expand(node, stored, leaves);
  switch (expression.op) {
    case 'matmul':
      return rows(expression.left).matMul(tensor(expression.right));
    case 'add':
      return rows(expression.left).add(rows(expression.right));
    case 'scale': {
      const { of: input, by } = expression;
      if (typeof by === 'number') return rows(input).mul(by);
      return rows(input).mul(by.shape[0] === 1 ? tensor(by) : rows(by));
    }
    case 'gather': {
      const { of: input, block, shape } = expression;
      const { index, signed } = leaves.rows(expression);
      const chosen = index.reshape([-1, shape[1]! / block]).gather(ids);
      const values = asRows(expression, tensor(input));
      return gatherRows(values, chosen.reshape([-1]), signed).reshape([-1, shape[1]!]);
    }
  }
  return tensor(expression).gather(ids);
}
