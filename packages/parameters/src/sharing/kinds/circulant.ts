import { checkKeys } from '@tutti/runtime';
import { reshape, shear, sizeOf, slice, transpose } from '../expressions/expression.js';
import {
  asMatrix,
  badRule,
  called,
  type KindRule,
  type PretrainedOptions,
  wholeFrom1,
} from '../rule.js';
import { readByElements } from '../values.js';

export interface CirculantOptions extends PretrainedOptions {
  /** Rows and columns of a block. As many as the larger side of the matrix, if nothing is given. */
  readonly block?: number | undefined;
  /** Instead of `block`: stored values for each element, so about 1 / block. */
  readonly ratio?: number | undefined;
}

/**
 * Blocks whose rows are the first row, each shifted one further: W[r, c] = theta[(c - r) mod block]
 * (Cheng et al. 2015; in blocks, Ding et al. 2017: CirCNN). A side that is no multiple of the block is
 * cut. In a convolution's kernel, each place of the filter has a matrix of its own.
 */
export function circulant(
  names: string | readonly string[],
  options: CirculantOptions = {},
): KindRule {
  checkKeys('circulant', options, { block: true, ratio: true, from: true });
  return {
    kind: 'circulant',
    names: [names].flat(),
    from: options.from,
    define([weight]) {
      const { name, shape } = weight!;
      const rule = called('circulant', [name]);
      asMatrix(rule, weight!);
      const [rows, columns] = shape.slice(-2) as [number, number];
      const block = blockOf(rule, Math.max(rows, columns), options);
      const matrices = sizeOf(shape.slice(0, -2));
      const [down, across] = [Math.ceil(rows / block), Math.ceil(columns / block)];
      return readByElements(name, [matrices, down, across, block], (values) => {
        const blocks = transpose(shear(values, block, block, { direction: -1 }), [0, 1, 3, 2, 4]);
        const whole = reshape(blocks, [matrices, down * block, across * block]);
        return reshape(slice(whole, [0, 0, 0], [matrices, rows, columns]), shape);
      });
    },
  };
}

function blockOf(rule: string, most: number, { block, ratio }: CirculantOptions): number {
  if (block !== undefined && ratio !== undefined)
    throw badRule(`${rule} takes either \`block\` or \`ratio\``, 'Give one of them.');
  if (ratio !== undefined && !(ratio > 0 && ratio <= 1))
    throw badRule(
      `The ratio of ${rule} is ${ratio}`,
      'Give a number above 0, at most 1, such as 1 / 8.',
    );
  const chosen = ratio === undefined ? (block ?? most) : Math.min(most, Math.round(1 / ratio));
  return wholeFrom1(rule, 'block', chosen, most);
}
