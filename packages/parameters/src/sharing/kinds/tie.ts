import { checkKeys } from '@tutti/runtime';
import { badRule, type TieRule } from '../rule.js';

export interface TieOptions {
  /** The others read the transpose of the first (matrices only). */
  readonly transpose?: boolean | undefined;
  /** The others read the first with its dimensions in this order. */
  readonly permute?: readonly number[] | undefined;
  /** The others read a part of the first (after `transpose` or `permute`), from here. */
  readonly begin?: readonly number[] | undefined;
  /** A pattern names several groups of neighbours (ALBERT): each has a first one of its own. */
  readonly groups?: number | undefined;
}

/**
 * Weights with one set of values: `tie('encoder/kernel', 'decoder/kernel', { transpose: true })`.
 * The gradients of all uses are summed. The first weight gives the initial values and the name.
 *
 * A pattern ties all weights that it names: `tie('block_*\/kernel')`. What its later stars stand for
 * tells apart what is tied: `tie('block_*\/**')` ties each weight of a block to its like in the other
 * blocks, as the Universal Transformer (Dehghani et al. 2019) and ALBERT (Lan et al. 2020) do.
 */
export function tie(first: string, ...rest: (string | TieOptions)[]): TieRule {
  const last = rest[rest.length - 1];
  const options = typeof last === 'object' ? last : {};
  checkKeys('tie', options, { transpose: true, permute: true, begin: true, groups: true });
  const { transpose = false, permute, begin, groups = 1 } = options;
  if (transpose && permute !== undefined)
    throw badRule('tie takes either `transpose` or `permute`', 'Give one of them.');
  const names = rest.filter((entry): entry is string => typeof entry === 'string');
  return {
    kind: 'tie',
    names: [first, ...names],
    permutation: transpose ? [1, 0] : permute,
    begin,
    groups,
  };
}
