import { checkKeys } from '@tutti/runtime';
import { add, constant, matmul, reshape, scale, stored } from '../expressions/expression.js';
import { asMatrix, called, type KindRule, type Pretrained, wholeFrom1 } from '../rule.js';

export interface VeraOptions {
  /** Columns of A, and rows of B. */
  readonly rank: number;
  /** Draws the bases, which all weights of one shape have in common. */
  readonly seed?: number | undefined;
  /** Where the frozen values come from; the model's own first values, if not given. */
  readonly from?: Pretrained | undefined;
}

/**
 * W = W0 + A diag(d) B diag(b), with W0 frozen and A, B grown from a seed: only the vectors d [rank]
 * and b [columns] are stored (Kopiczko et al. 2024). It begins at W0: b is 0 and d is 0.1.
 */
export function vera(names: string | readonly string[], options: VeraOptions): KindRule {
  checkKeys('vera', options, { rank: true, seed: true, from: true });
  return {
    kind: 'vera',
    names: [names].flat(),
    from: options.from,
    define([weight]) {
      const { name, shape } = weight!;
      const rule = called('vera', [name]);
      const [rows, columns] = asMatrix(rule, weight!);
      const rank = wholeFrom1(rule, 'rank', options.rank);
      const [inner, outer] = [`${name}/inner`, `${name}/outer`];
      const grown = (side: string, extents: readonly [number, number], deviation: number) => {
        const seed = `vera ${options.seed ?? 0} ${side} ${extents.join('x')}`;
        return constant({ kind: 'grown', seed, deviation }, extents);
      };
      const left = scale(
        grown('left', [rows, rank], 1 / Math.sqrt(rows)),
        reshape(stored(inner, [rank]), [1, rank]),
      );
      const right = scale(
        grown('right', [rank, columns], 1 / Math.sqrt(rank)),
        reshape(stored(outer, [columns]), [1, columns]),
      );
      const frozen = constant({ kind: 'first', weight: name }, [rows, columns]);
      return {
        stored: [
          { name: inner, shape: [rank] },
          { name: outer, shape: [columns] },
        ],
        expressions: [reshape(add(frozen, matmul(left, right)), shape)],
        initial: () => ({
          [inner]: new Float32Array(rank).fill(0.1),
          [outer]: new Float32Array(columns),
        }),
      };
    },
  };
}
