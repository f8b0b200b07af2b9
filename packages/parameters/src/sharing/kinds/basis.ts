import { checkKeys } from '@tutti/runtime';
import { matmul, reshape, stored } from '../expressions/expression.js';
import { closestProduct, matrix } from '../linear-algebra.js';
import {
  asMatrix,
  badRule,
  called,
  type KindRule,
  type PretrainedOptions,
  show,
  wholeFrom1,
} from '../rule.js';
import { factorSpreads, normal, spreadOf } from '../values.js';

export interface BasisOptions extends PretrainedOptions {
  /** Columns of the common basis. */
  readonly rank: number;
}

/**
 * Weights of several layers from one basis: W_i = B C_i, with B [rows, rank] common to all and
 * C_i [rank, columns] of each (Wang et al. 2024: Basis Sharing). Pretrained values are split by the
 * singular value decomposition of all of them side by side.
 */
export function basis(names: string | readonly string[], options: BasisOptions): KindRule {
  checkKeys('basis', options, { rank: true, from: true });
  const given = [names].flat();
  return {
    kind: 'basis',
    names: given,
    together: true,
    from: options.from,
    define(weights) {
      const rule = called('basis', given);
      const shapes = weights.map((weight) => asMatrix(rule, weight));
      const rows = shapes[0]![0];
      const rank = wholeFrom1(rule, 'rank', options.rank, rows);
      const other = shapes.findIndex((shape) => shape[0] !== rows);
      if (other >= 0)
        throw badRule(
          `${rule} needs as many inputs everywhere, but "${weights[0]!.name}" is ${show(weights[0]!.shape)} and "${weights[other]!.name}" ${show(weights[other]!.shape)}`,
        );
      const common = `${weights[0]!.name}/basis`;
      const own = weights.map(({ name }) => `${name}/coefficients`);
      return {
        stored: [
          { name: common, shape: [rows, rank] },
          ...own.map((name, at) => ({ name, shape: [rank, shapes[at]![1]] })),
        ],
        expressions: weights.map(({ shape }, at) =>
          reshape(
            matmul(stored(common, [rows, rank]), stored(own[at]!, [rank, shapes[at]![1]])),
            shape,
          ),
        ),
        initial(values, { random, pretrained }) {
          if (pretrained) return split(values, shapes, rank, common, own);
          const spreads = values.map(spreadOf);
          const [ofBasis] = factorSpreads(spreads.find((spread) => spread > 0) ?? 0, rank, rows);
          return Object.fromEntries([
            [common, normal(random(common), rows * rank, ofBasis)],
            ...own.map((name, at) => {
              const each = spreads[at]! / Math.sqrt(rank) / ofBasis;
              return [name, normal(random(name), rank * shapes[at]![1], each)];
            }),
          ]);
        },
      };
    },
  };
}

function split(
  values: readonly Float32Array[],
  shapes: readonly (readonly [number, number])[],
  rank: number,
  common: string,
  own: readonly string[],
): Record<string, Float32Array> {
  const rows = shapes[0]![0];
  const total = shapes.reduce((sum, [, columns]) => sum + columns, 0);
  const beside = new Float64Array(rows * total);
  const starts: number[] = [];
  let start = 0;
  for (const [at, [, columns]] of shapes.entries()) {
    starts.push(start);
    for (let r = 0; r < rows; r++)
      beside.set(values[at]!.subarray(r * columns, (r + 1) * columns), r * total + start);
    start += columns;
  }
  const { left, right } = closestProduct(matrix(rows, total, beside), rank);
  return Object.fromEntries([
    [common, Float32Array.from(left.values)],
    ...own.map((name, at): [string, Float32Array] => {
      const columns = shapes[at]![1];
      const part = Float32Array.from({ length: rank * columns }, (_, i) => {
        const [k, c] = [Math.floor(i / columns), i % columns];
        return right.values[k * total + starts[at]! + c]!;
      });
      return [name, part];
    }),
  ]);
}
