import { checkKeys } from '@tutti/runtime';
import { kronecker as product, reshape, sizeOf, stored } from '../expressions/expression.js';
import { closestProduct, matrix } from '../linear-algebra.js';
import { asMatrix, badRule, called, type KindRule, type PretrainedOptions, show } from '../rule.js';
import { factorSpreads, normal, spreadOf } from '../values.js';

export interface KroneckerOptions extends PretrainedOptions {
  /** Rows and columns of the left factor; both factors about as large, if not given. */
  readonly left?: readonly [number, number] | undefined;
}

/**
 * W = A kron B: every element of A times all of B (Zhou et al. 2015). A convolution's kernel is taken
 * as the matrix [k k in, out].
 */
export function kronecker(
  names: string | readonly string[],
  options: KroneckerOptions = {},
): KindRule {
  checkKeys('kronecker', options, { left: true, from: true });
  return {
    kind: 'kronecker',
    names: [names].flat(),
    from: options.from,
    define([weight]) {
      const { name, shape } = weight!;
      const rule = called('kronecker', [name]);
      const [rows, columns] = asMatrix(rule, weight!);
      const a = options.left ?? balanced(rows, columns);
      if (a.length !== 2 || rows % a[0]! !== 0 || columns % a[1]! !== 0)
        throw badRule(
          `The left factor of ${rule} is ${show(a)}, which does not divide ${show([rows, columns])}`,
          'Give divisors of both, or leave `left` out.',
        );
      const b = [rows / a[0], columns / a[1]] as const;
      const [left, right] = [`${name}/left`, `${name}/right`];
      return {
        stored: [
          { name: left, shape: a },
          { name: right, shape: b },
        ],
        expressions: [reshape(product(stored(left, a), stored(right, b)), shape)],
        initial([values], { random, pretrained }) {
          if (pretrained) {
            const factors = closestProduct(rearranged(values!, columns, a, b), 1);
            return {
              [left]: Float32Array.from(factors.left.values),
              [right]: Float32Array.from(factors.right.values),
            };
          }
          const [ofLeft, ofRight] = factorSpreads(spreadOf(values!), 1, sizeOf(a));
          return {
            [left]: normal(random(left), sizeOf(a), ofLeft),
            [right]: normal(random(right), sizeOf(b), ofRight),
          };
        },
      };
    },
  };
}

/** Makes A kron B of the outer product of A and B, flat (Van Loan and Pitsianis 1993). */
function rearranged(
  values: Float32Array,
  columns: number,
  a: readonly [number, number],
  b: readonly [number, number],
) {
  const [outer, inner] = [sizeOf(a), sizeOf(b)];
  const moved = Float64Array.from({ length: outer * inner }, (_, i) => {
    const [p, q] = [Math.floor(i / inner), i % inner];
    const row = Math.floor(p / a[1]) * b[0] + Math.floor(q / b[1]);
    return values[row * columns + (p % a[1]) * b[1] + (q % b[1])]!;
  });
  return matrix(outer, inner, moved);
}

/** Factors of about as many rows, and columns. */
function balanced(rows: number, columns: number): readonly [number, number] {
  const divisor = (n: number) => {
    let best = 1;
    for (let d = 1; d <= n; d++)
      if (n % d === 0 && Math.max(d, n / d) <= Math.max(best, n / best)) best = d;
    return best;
  };
  return [divisor(rows), divisor(columns)];
}
