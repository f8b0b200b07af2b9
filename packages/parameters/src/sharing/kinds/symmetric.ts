import { checkKeys } from '@tutti/runtime';
import { gather } from '../expressions/expression.js';
import { badRule, called, type KindRule, type PretrainedOptions, show } from '../rule.js';
import { readByElements } from '../values.js';

export type SymmetricOptions = PretrainedOptions;

/** W = W^T: the lower half is stored, with the diagonal, n (n + 1) / 2 values. */
export function symmetric(
  names: string | readonly string[],
  options: SymmetricOptions = {},
): KindRule {
  return halves('symmetric', names, options);
}

/** W = -W^T: the lower half is stored, n (n - 1) / 2 values; the diagonal is 0. */
export function skewSymmetric(
  names: string | readonly string[],
  options: SymmetricOptions = {},
): KindRule {
  return halves('skewSymmetric', names, options);
}

function halves(
  kind: 'symmetric' | 'skewSymmetric',
  names: string | readonly string[],
  options: SymmetricOptions,
): KindRule {
  checkKeys(kind, options, { from: true });
  return {
    kind,
    names: [names].flat(),
    from: options.from,
    define([weight]) {
      const { name, shape } = weight!;
      const [n, columns] = shape;
      if (shape.length !== 2 || n !== columns || (kind === 'skewSymmetric' && n === 1))
        throw badRule(
          `${called(kind, [name])} needs a square matrix, but "${name}" is ${show(shape)}`,
          'Name a kernel with as many inputs as units.',
        );
      const symmetrical = kind === 'symmetric';
      const count = (n! * (n! + (symmetrical ? 1 : -1))) / 2;
      const index = Int32Array.from({ length: n! * n! }, (_, i) => {
        const [r, c] = [Math.floor(i / n!), i % n!];
        if (symmetrical) return r >= c ? (r * (r + 1)) / 2 + c + 1 : (c * (c + 1)) / 2 + r + 1;
        if (r === c) return 0;
        return r > c ? (r * (r - 1)) / 2 + c + 1 : -((c * (c - 1)) / 2 + r + 1);
      });
      return readByElements(name, [count], (values) => gather(values, index, shape));
    },
  };
}
