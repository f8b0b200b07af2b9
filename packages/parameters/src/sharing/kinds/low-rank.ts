import { checkKeys } from '@tutti/runtime';
import { matmul, reshape, stored } from '../expressions/expression.js';
import { closestProduct, matrix } from '../linear-algebra.js';
import {
  asMatrix,
  badRule,
  called,
  type KindRule,
  type PretrainedOptions,
  type Size,
  storedSize,
  wholeFrom1,
} from '../rule.js';
import { factorSpreads, normal, spreadOf } from '../values.js';

export interface LowRankOptions extends Size, PretrainedOptions {
  /** Columns of A, and rows of B. */
  readonly rank?: number | undefined;
}

/**
 * W = A B of rank `rank` (Sainath et al. 2013); with `stored` or `ratio`, of the largest rank that
 * stores no more. A convolution's kernel is taken as the matrix [k k in, out]. Pretrained values are
 * split by their singular value decomposition.
 */
export function lowRank(names: string | readonly string[], options: LowRankOptions): KindRule {
  checkKeys('lowRank', options, { rank: true, stored: true, ratio: true, from: true });
  return {
    kind: 'lowRank',
    names: [names].flat(),
    from: options.from,
    define([weight]) {
      const { name, shape } = weight!;
      const rule = called('lowRank', [name]);
      const [rows, columns] = asMatrix(rule, weight!);
      const rank = rankOf(rule, rows, columns, options);
      const [left, right] = [`${name}/left`, `${name}/right`];
      return {
        stored: [
          { name: left, shape: [rows, rank] },
          { name: right, shape: [rank, columns] },
        ],
        expressions: [
          reshape(matmul(stored(left, [rows, rank]), stored(right, [rank, columns])), shape),
        ],
        initial([values], { random, pretrained }) {
          if (pretrained) {
            const factors = closestProduct(matrix(rows, columns, values!), rank);
            return {
              [left]: Float32Array.from(factors.left.values),
              [right]: Float32Array.from(factors.right.values),
            };
          }
          const [ofLeft, ofRight] = factorSpreads(spreadOf(values!), rank, rows);
          return {
            [left]: normal(random(left), rows * rank, ofLeft),
            [right]: normal(random(right), rank * columns, ofRight),
          };
        },
      };
    },
  };
}

function rankOf(rule: string, rows: number, columns: number, options: LowRankOptions): number {
  const { rank, ...size } = options;
  const most = Math.min(rows, columns);
  if (rank === undefined) {
    const count = storedSize(rule, rows * columns, size);
    return Math.min(most, Math.max(1, Math.floor(count / (rows + columns))));
  }
  if (size.stored !== undefined || size.ratio !== undefined)
    throw badRule(`${rule} takes \`rank\`, \`stored\` or \`ratio\``, 'Give one of them.');
  return wholeFrom1(rule, 'rank', rank, most);
}
