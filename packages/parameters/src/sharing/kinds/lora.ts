import { checkKeys } from '@tutti/runtime';
import { add, constant, matmul, reshape, scale, stored } from '../expressions/expression.js';
import { asMatrix, called, type KindRule, type Pretrained, wholeFrom1 } from '../rule.js';
import { normal } from '../values.js';

export interface LoraOptions {
  /** Columns of A, and rows of B. */
  readonly rank: number;
  /** The change is scaled by alpha / rank. Default: the rank. */
  readonly alpha?: number | undefined;
  /** Where the frozen values come from; the model's own first values, if not given. */
  readonly from?: Pretrained | undefined;
}

/**
 * W = W0 + alpha / rank * A B, with W0 frozen (Hu et al. 2022): the first values of the weight, which
 * belong to the program and never travel. It begins at W0: B is 0, and A normal, of variance 1 / rows.
 */
export function lora(names: string | readonly string[], options: LoraOptions): KindRule {
  checkKeys('lora', options, { rank: true, alpha: true, from: true });
  return {
    kind: 'lora',
    names: [names].flat(),
    from: options.from,
    define([weight]) {
      const { name, shape } = weight!;
      const rule = called('lora', [name]);
      const [rows, columns] = asMatrix(rule, weight!);
      const rank = wholeFrom1(rule, 'rank', options.rank, Math.min(rows, columns));
      const [down, up] = [`${name}/down`, `${name}/up`];
      const change = matmul(stored(down, [rows, rank]), stored(up, [rank, columns]));
      const frozen = constant({ kind: 'first', weight: name }, [rows, columns]);
      const factor = (options.alpha ?? rank) / rank;
      return {
        stored: [
          { name: down, shape: [rows, rank] },
          { name: up, shape: [rank, columns] },
        ],
        expressions: [reshape(add(frozen, factor === 1 ? change : scale(change, factor)), shape)],
        initial: (_, { random }) => ({
          [down]: normal(random(down), rows * rank, 1 / Math.sqrt(rows)),
          [up]: new Float32Array(rank * columns),
        }),
      };
    },
  };
}
