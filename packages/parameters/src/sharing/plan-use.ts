import { type Expression, nodesOf, sizeOf } from './expressions/expression.js';

/**
 * How a layer gets what it needs of a weight W. Follows from shapes alone, never from the machine or
 * the batch, since the bits of the result depend on it.
 * - stored: W is a stored parameter or a constant
 * - expand: W is computed, whole
 * - apply: x W is computed factor by factor, without W
 * - look up: rows of W are computed, without the others
 */
export type WeightUse = 'stored' | 'expand' | 'apply' | 'look up';

/** What a layer does with its weight: a product x W, rows of W, or anything. */
export type WeightRole = 'product' | 'rows' | 'other';

/** How a weight is best computed where a model uses it so. */
export function useOf(expression: Expression, role: WeightRole): WeightUse {
  if (expression.op === 'stored' || expression.op === 'constant') return 'stored';
  if (role === 'product' && isFactored(expression)) return 'apply';
  if (role === 'rows' && hasRows(expression)) return 'look up';
  return 'expand';
}

/** Whether x W takes fewer multiplications factor by factor than with W, forward and back. */
function isFactored(expression: Expression): boolean {
  if (expression.shape.length !== 2) return false;
  return applyCost(expression) < WITH_GRADIENTS * sizeOf(expression.shape);
}

/** A product, and those of its gradients with respect to x and to W. */
const WITH_GRADIENTS = 3;

const isTrained = (expression: Expression) => nodesOf(expression).some(({ op }) => op === 'stored');

const productCost = (expression: Expression, multiplications: number) =>
  multiplications * (isTrained(expression) ? WITH_GRADIENTS : WITH_GRADIENTS - 1);

/** Multiplications for each row of x, forward and back; `applyTo` of the TensorFlow side does them. */
function applyCost(expression: Expression): number {
  const [rows, columns] = expression.shape as [number, number];
  switch (expression.op) {
    case 'matmul':
      return applyCost(expression.left) + applyCost(expression.right);
    case 'add':
      return applyCost(expression.left) + applyCost(expression.right);
    case 'scale': {
      const { of: input, by } = expression;
      if (typeof by === 'number') return applyCost(input) + columns;
      if (by.shape[0] === 1) return applyCost(input) + productCost(by, columns);
      if (by.shape[1] === 1) return applyCost(input) + productCost(by, rows);
      break;
    }
    case 'kronecker': {
      const { left, right } = expression;
      return (
        productCost(right, left.shape[0]! * sizeOf(right.shape)) +
        productCost(left, sizeOf(left.shape) * right.shape[1]!)
      );
    }
  }
  return productCost(expression, sizeOf(expression.shape));
}

/** Whether rows of it can be computed alone; `lookUp` of the TensorFlow side does it. */
export function hasRows(expression: Expression): boolean {
  const { shape, op } = expression;
  if (shape.length !== 2) return false;
  switch (op) {
    case 'stored':
    case 'constant':
      return true;
    case 'matmul':
      return hasRows(expression.left);
    case 'add':
      return hasRows(expression.left) && hasRows(expression.right);
    case 'scale':
      return (
        hasRows(expression.of) &&
        (typeof expression.by === 'number' ||
          expression.by.shape[0] === 1 ||
          hasRows(expression.by))
      );
    case 'gather':
      return shape[1]! % expression.block === 0;
    default:
      return false;
  }
}
