import type { DrawnWeight, Weight } from '@tutti/compress';
import { drawnBy, type Expression, evaluate, type Sharing, sizeOf } from '@tutti/parameters';
import type { ParameterValues } from '@tutti/worker';
import { createParts } from './parts.js';

/** Two matrices whose product is a weight: as many columns of the first as rows of the second. */
export interface Factors {
  readonly left: Weight;
  readonly right: Weight;
  readonly rank: number;
}

/** The weights of a model as a file may have them, by their place in the model. */
export interface WrittenWeights {
  weight(at: number): Weight;
  /** Of a weight that is a product, taken as the matrix of all its dimensions but the last, and the last. */
  factors(at: number): Factors | undefined;
}

/**
 * @param whole the same weights in full
 * @param values the stored parameters, by name
 */
export function createWrittenWeights(
  sharing: Sharing,
  whole: readonly Float32Array[],
  values: ParameterValues,
): WrittenWeights {
  const expressions = sharing.weights.map(({ expression }) => expression);
  const placed = createParts(sharing, values);
  const leaves = { stored: (name: string) => values[name]!, constant: sharing.constant };

  const written = (expression: Expression, inFull: () => Float32Array): Weight => ({
    ...placed(expression),
    alone: drawnWeight(expression, values) ?? inFull(),
  });

  return {
    weight: (at) => written(expressions[at]!, () => whole[at]!),
    factors(at) {
      const product = factored(expressions[at]!);
      if (product === undefined) return undefined;
      const [left, right] = [product.left, product.right].map((factor) =>
        written(factor, () => Float32Array.from(evaluate(factor, leaves))),
      ) as [Weight, Weight];
      return { left, right, rank: product.right.shape[0]! };
    },
  };
}

/** A product whose factors take fewer values, and fewer multiplications, than what they make. */
function factored(expression: Expression) {
  const { shape } = expression;
  const product = expression.op === 'reshape' ? expression.of : expression;
  if (product.op !== 'matmul' || product.shape.at(-1) !== shape.at(-1)) return undefined;
  const { left, right } = product;
  return sizeOf(left.shape) + sizeOf(right.shape) < sizeOf(shape) ? product : undefined;
}

/** What a hashed weight is drawn from: the file does without its elements. */
function drawnWeight(expression: Expression, values: ParameterValues): DrawnWeight | undefined {
  const drawn = drawnBy(expression);
  if (drawn === undefined) return undefined;
  const { parameter, ...how } = drawn;
  return { ...how, stored: values[parameter]! };
}
