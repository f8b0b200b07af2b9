import type { Draw, Expression } from './expression.js';

/** A weight whose elements each read a value of one stored parameter, as a generator draws them. */
export interface DrawnBy extends Draw {
  /** The name of the stored parameter. */
  readonly parameter: string;
  /** So many neighbouring elements read as many neighbouring values; the last ones may be fewer. */
  readonly block: number;
}

/**
 * How a weight is drawn, whole, so that its map can be drawn again wherever its stored values are.
 * @returns undefined for a weight that follows otherwise
 */
export function drawnBy(expression: Expression): DrawnBy | undefined {
  switch (expression.op) {
    case 'gather': {
      const { of: input, block, drawn } = expression;
      return drawn && input.op === 'stored'
        ? { ...drawn, parameter: input.name, block }
        : undefined;
    }
    // The same elements in the same order, or the first of them.
    case 'reshape': {
      const inner = drawnBy(expression.of);
      return inner?.turned ? undefined : inner;
    }
    case 'slice':
      return expression.shape.length === 1 && expression.begin[0] === 0
        ? drawnBy(expression.of)
        : undefined;
    case 'transpose': {
      const inner = drawnBy(expression.of);
      return inner && expression.shape.length === 2
        ? { ...inner, turned: !inner.turned }
        : undefined;
    }
  }
  return undefined;
}
