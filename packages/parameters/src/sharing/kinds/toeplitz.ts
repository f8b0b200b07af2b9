import { checkKeys } from '@tutti/runtime';
import { reshape, shear, sizeOf } from '../expressions/expression.js';
import { asMatrix, called, type KindRule, type PretrainedOptions } from '../rule.js';
import { readByElements } from '../values.js';

export type ToeplitzOptions = PretrainedOptions;

/**
 * One value for each diagonal: W[r, c] = theta[c - r + rows - 1] (Sindhwani et al. 2015). In a
 * convolution's kernel, each place of the filter has a matrix of its own.
 */
export function toeplitz(
  names: string | readonly string[],
  options: ToeplitzOptions = {},
): KindRule {
  return diagonals('toeplitz', names, options);
}

/** One value for each antidiagonal: W[r, c] = theta[r + c] (Sindhwani et al. 2015). */
export function hankel(names: string | readonly string[], options: ToeplitzOptions = {}): KindRule {
  return diagonals('hankel', names, options);
}

function diagonals(
  kind: 'toeplitz' | 'hankel',
  names: string | readonly string[],
  options: ToeplitzOptions,
): KindRule {
  checkKeys(kind, options, { from: true });
  return {
    kind,
    names: [names].flat(),
    from: options.from,
    define([weight]) {
      const { name, shape } = weight!;
      asMatrix(called(kind, [name]), weight!);
      const [rows, columns] = shape.slice(-2) as [number, number];
      const turned = kind === 'toeplitz' ? { start: rows - 1, direction: -1 } : { direction: 1 };
      const diagonal = [sizeOf(shape.slice(0, -2)), rows + columns - 1];
      return readByElements(name, diagonal, (values) =>
        reshape(shear(values, rows, columns, turned as { direction: 1 | -1 }), shape),
      );
    },
  };
}
