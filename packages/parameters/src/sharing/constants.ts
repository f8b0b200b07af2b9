import { createRandom } from '@tutti/runtime';
import { type Op, sizeOf } from './expressions/expression.js';
import { normal } from './values.js';

/** The values of a constant; `first` gives those of a weight. */
export function constantValues(
  { source, shape }: Op<'constant'>,
  first: (weight: string) => Float32Array,
): Float32Array {
  if (source.kind === 'given') return source.values;
  if (source.kind === 'first') return first(source.weight);
  return normal(createRandom('sharing', source.seed), sizeOf(shape), source.deviation);
}
