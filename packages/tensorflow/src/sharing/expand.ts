import type { Expression, Op } from '@tutti/parameters';
import { tf } from '../tf.js';
import type { Leaves } from './leaves.js';

/** The tensor of a stored parameter. */
export type StoredTensor = (name: string) => tf.Tensor;

/** An expression as operations of TensorFlow, so that automatic differentiation sums all uses. */
export function expand(expression: Expression, stored: StoredTensor, leaves: Leaves): tf.Tensor {
  const expanded = (node: Expression) => expand(node, stored, leaves);
  const shape = [...expression.shape];
  switch (expression.op) {
    case 'stored':
      return stored(expression.name);
    case 'constant':
      return leaves.constant(expression);
    case 'gather': {
      const { index, signed } = leaves.rows(expression);
      return gatherRows(asRows(expression, expanded(expression.of)), index, signed).reshape(shape);
    }
    case 'shear':
      return shear(expression, expanded(expression.of));
    case 'matmul':
      return expanded(expression.left).matMul(expanded(expression.right));
    case 'kronecker': {
      const [[a, b], [c, d]] = [expression.left.shape, expression.right.shape];
      const left = expanded(expression.left).reshape([a!, 1, b!, 1]);
      return left.mul(expanded(expression.right).reshape([1, c!, 1, d!])).reshape(shape);
    }
    case 'add':
      return expanded(expression.left).add(expanded(expression.right));
    case 'scale': {
      const { by } = expression;
      return expanded(expression.of).mul(typeof by === 'number' ? by : expanded(by));
    }
    case 'sum':
      return expanded(expression.of).sum(-1);
    case 'reshape':
      return expanded(expression.of).reshape(shape);
    case 'transpose':
      return expanded(expression.of).transpose([...expression.permutation]);
    case 'slice':
      return expanded(expression.of).slice([...expression.begin], shape);
    case 'concat':
      return tf.concat(expression.of.map(expanded), expression.axis);
  }
}

/** What a gather reads, [rows] or [rows, block]. */
export function asRows({ of: input, block }: Op<'gather'>, tensor: tf.Tensor): tf.Tensor {
  if (input.shape.length === 1 && block === 1) return tensor;
  return tensor.reshape(block === 1 ? [-1] : [-1, block]);
}

/** Rows by a map of `Leaves`. */
export function gatherRows(rows: tf.Tensor, index: tf.Tensor1D, signed: boolean): tf.Tensor {
  if (!signed) return rows.gather(index);
  const padded = tf.concat([tf.zeros([1, ...rows.shape.slice(1)]), rows]);
  const signs = index.sign().cast('float32');
  const gathered = padded.gather(index.abs() as tf.Tensor1D);
  return gathered.mul(rows.shape.length === 1 ? signs : signs.expandDims(1));
}

/**
 * Rows that start one further (or one before) each: a repetition of the stored values is read in
 * rows one longer than its period. Its gradient adds them up again, without the thousands of
 * operations that tfjs' gradient of tile takes.
 */
function shear({ of: input, shape, start, direction }: Op<'shear'>, tensor: tf.Tensor): tf.Tensor {
  const period = input.shape.at(-1)!;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const matrices = shape.slice(0, -2).reduce((product, extent) => product * extent, 1);
  // Backwards is forwards from the last row on, turned upside down.
  const first = direction === 1 ? start : start - (rows - 1);
  const shift = ((first % period) + period) % period;
  const length = rows * (period + 1);
  const repeats = Math.ceil(length / period);
  const shifted = (x: tf.Tensor, by: number) =>
    by === 0 ? x : tf.concat([x.slice([0, by], [-1, -1]), x.slice([0, 0], [-1, by])], 1);
  const turned = (x: tf.Tensor) => (direction === 1 ? x : x.reverse(1));
  const sheared = tf.customGrad((x) => ({
    value: turned(
      tf
        .tile(shifted((x as tf.Tensor).reshape([matrices, period]), shift), [1, repeats])
        .slice([0, 0], [-1, length])
        .reshape([matrices, rows, period + 1])
        .slice([0, 0, 0], [-1, -1, columns]),
    ).reshape([...shape]),
    gradFunc: (dy: tf.Tensor) => {
      const whole = tf.pad(turned(dy.reshape([matrices, rows, columns])), [
        [0, 0],
        [0, 0],
        [0, period + 1 - columns],
      ]);
      const repeated = tf.pad(whole.reshape([matrices, length]), [
        [0, 0],
        [0, repeats * period - length],
      ]);
      const sums = repeated.reshape([matrices, repeats, period]).sum(1);
      return shifted(sums, (period - shift) % period).reshape([...input.shape]);
    },
  }));
  return sheared(tensor);
}
