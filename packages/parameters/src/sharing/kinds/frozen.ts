import { checkKeys } from '@tutti/runtime';
import { constant } from '../expressions/expression.js';
import type { KindRule, Pretrained } from '../rule.js';

export interface FrozenOptions {
  /** Where the values come from; the model's own first values, if not given. */
  readonly from?: Pretrained | undefined;
}

/**
 * Weights that are not trained: they keep their first values, which belong to the program. Nothing is
 * stored, sent or optimised. A layer with `trainable: false` is frozen without a rule.
 */
export function frozen(names: string | readonly string[], options: FrozenOptions = {}): KindRule {
  checkKeys('frozen', options, { from: true });
  return {
    kind: 'frozen',
    names: [names].flat(),
    from: options.from,
    define: ([weight]) => ({
      stored: [],
      expressions: [constant({ kind: 'first', weight: weight!.name }, weight!.shape)],
      initial: () => ({}),
    }),
  };
}
