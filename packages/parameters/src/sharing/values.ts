import type { Random } from '@tutti/runtime';
import { evaluate } from './expressions/evaluate.js';
import { type Expression, type Shape, sizeOf, stored } from './expressions/expression.js';
import type { Definition } from './rule.js';

/**
 * Which stored value each element of a weight reads, as in `gather`: +k or -k for value k - 1, 0 for
 * none. Only for expressions whose elements are each a stored value, negated or not, or zero.
 */
export function readersOf(expression: Expression, name: string, count: number): Int32Array {
  const numbers = Float64Array.from({ length: count }, (_, at) => at + 1);
  const none = Float64Array.from({ length: 0 });
  const leaves = {
    stored: (each: string) => (each === name ? numbers : none),
    constant: () => none,
  };
  return Int32Array.from(evaluate(expression, leaves));
}

/** The stored values of weights that read one each: the first that reads it, or the mean of all. */
export function storedFromReaders(
  index: Int32Array,
  stored: number,
  weight: Float32Array,
  pretrained: boolean,
): Float32Array {
  const theta = new Float32Array(stored);
  if (!pretrained) {
    for (let i = weight.length - 1; i >= 0; i--) {
      const at = index[i]!;
      if (at !== 0) theta[Math.abs(at) - 1] = Math.sign(at) * weight[i]!;
    }
    return theta;
  }
  const sums = new Float64Array(stored);
  const counts = new Float64Array(stored);
  for (let i = 0; i < weight.length; i++) {
    const at = index[i]!;
    if (at === 0) continue;
    sums[Math.abs(at) - 1]! += Math.sign(at) * weight[i]!;
    counts[Math.abs(at) - 1]! += 1;
  }
  return theta.map((_, at) => sums[at]! / Math.max(1, counts[at]!));
}

/** Root of the mean square. */
export function spreadOf(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i]! ** 2;
  return Math.sqrt(squares / Math.max(1, values.length));
}

/**
 * Spreads of two factors of a product with `inner` terms that has a spread: the same for both. A product that begins
 * at 0 has one factor that does not, as in LoRA: of zeros neither would have a gradient.
 */
export function factorSpreads(
  spread: number,
  inner: number,
  rows: number,
): readonly [left: number, right: number] {
  const each = Math.sqrt(spread / Math.sqrt(inner));
  return each > 0 ? [each, each] : [1 / Math.sqrt(rows), 0];
}

/** Normally distributed around 0 (Box and Muller 1958). */
export function normal(random: Random, length: number, deviation: number): Float32Array {
  return Float32Array.from({ length }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
    return deviation * radius * Math.cos(2 * Math.PI * random.next());
  });
}

/**
 * What a rule defines whose weight has one stored parameter, of its own name, and reads it value by value.
 * @param shape that of the stored parameter
 * @param read the weight, from the stored parameter
 */
export function readByElements(
  name: string,
  shape: Shape,
  read: (values: Expression) => Expression,
): Definition {
  const count = sizeOf(shape);
  const expression = read(stored(name, shape));
  return {
    stored: [{ name, shape }],
    expressions: [expression],
    initial([weight], { pretrained }) {
      const index = readersOf(expression, name, count);
      if (index.length !== sizeOf(expression.shape)) throw new RangeError(name);
      return { [name]: storedFromReaders(index, count, weight!, pretrained) };
    },
  };
}
