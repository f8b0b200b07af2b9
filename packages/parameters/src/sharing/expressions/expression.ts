/**
 * How a weight follows from stored parameters, as data: a small expression whose leaves are stored
 * tensors and constants. It is made once, by a kind of sharing; `evaluate` computes it in double
 * precision, and the TensorFlow package as operations of TensorFlow.
 */
export type Expression = { readonly shape: Shape } & (
  | { readonly op: 'stored'; readonly name: string }
  | { readonly op: 'constant'; readonly source: ConstantSource }
  /**
   * `of`, flat, as rows of `block` values; row |index| - 1 of it, negated where the index is
   * negative, zeros where it is 0.
   */
  | {
      readonly op: 'gather';
      readonly of: Expression;
      readonly index: Int32Array;
      readonly block: number;
      /** How the index was drawn, if it was: who knows it needs no index. */
      readonly drawn?: Draw;
    }
  /** [..., n] to [..., rows, columns]: out[r, c] = of[(start + c + direction r) mod n]. */
  | {
      readonly op: 'shear';
      readonly of: Expression;
      readonly start: number;
      readonly direction: 1 | -1;
    }
  | { readonly op: 'matmul'; readonly left: Expression; readonly right: Expression }
  /** [a, b] and [c, d] to [a c, b d]. */
  | { readonly op: 'kronecker'; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'add'; readonly left: Expression; readonly right: Expression }
  /** Times a number, or a tensor of as many dimensions whose extents are the same or 1. */
  | { readonly op: 'scale'; readonly of: Expression; readonly by: number | Expression }
  /** Over the last dimension. */
  | { readonly op: 'sum'; readonly of: Expression }
  | { readonly op: 'reshape'; readonly of: Expression }
  /** Dimension i of the result is dimension permutation[i] of `of`. */
  | { readonly op: 'transpose'; readonly of: Expression; readonly permutation: readonly number[] }
  | { readonly op: 'slice'; readonly of: Expression; readonly begin: readonly number[] }
  | { readonly op: 'concat'; readonly of: readonly Expression[]; readonly axis: number }
);

export type Shape = readonly number[];

/** The numbers of a generator that make an index. */
export interface Draw {
  /** Of the generator before the first number, as `createRandom` has it. */
  readonly state: readonly number[];
  /** Whether a sign is drawn after each row: the index is negated unless the number is odd. */
  readonly sign: boolean;
  /** Whether it is drawn for the elements of the transposed matrix. */
  readonly turned: boolean;
}

/** Where the values of a constant come from. Constants belong to the program: no seed of a run changes them. */
export type ConstantSource =
  | { readonly kind: 'given'; readonly values: Float32Array }
  /** Normally distributed around 0, drawn wherever they are needed. */
  | { readonly kind: 'grown'; readonly seed: string; readonly deviation: number }
  /** The first values of a weight, as the model makes them with the program's seed. */
  | { readonly kind: 'first'; readonly weight: string };

export type Op<Name extends Expression['op']> = Extract<Expression, { op: Name }>;

export const sizeOf = (shape: Shape): number => shape.reduce((size, extent) => size * extent, 1);

export function stored(name: string, shape: Shape): Expression {
  return { op: 'stored', name, shape };
}

export function constant(source: ConstantSource, shape: Shape): Expression {
  return { op: 'constant', source, shape };
}

export function gather(
  input: Expression,
  index: Int32Array,
  shape: Shape,
  block = 1,
  drawn?: Draw,
): Expression {
  require(index.length * block === sizeOf(shape), 'gather', shape, [index.length, block]);
  require(sizeOf(input.shape) % block === 0, 'gather', input.shape, [block]);
  return { op: 'gather', of: input, index, block, shape, ...(drawn && { drawn }) };
}

export function shear(
  input: Expression,
  rows: number,
  columns: number,
  { start = 0, direction }: { start?: number; direction: 1 | -1 },
): Expression {
  const shape = [...input.shape.slice(0, -1), rows, columns];
  require(columns <= input.shape.at(-1)! + 1, 'shear', input.shape, shape);
  return { op: 'shear', of: input, start, direction, shape };
}

export function matmul(left: Expression, right: Expression): Expression {
  const [a, b] = [left.shape, right.shape];
  require(a.length === 2 && b.length === 2 && a[1] === b[0], 'matmul', a, b);
  return { op: 'matmul', left, right, shape: [a[0]!, b[1]!] };
}

export function kronecker(left: Expression, right: Expression): Expression {
  const [a, b] = [left.shape, right.shape];
  require(a.length === 2 && b.length === 2, 'kronecker', a, b);
  return { op: 'kronecker', left, right, shape: [a[0]! * b[0]!, a[1]! * b[1]!] };
}

export function add(left: Expression, right: Expression): Expression {
  require(left.shape.join() === right.shape.join(), 'add', left.shape, right.shape);
  return { op: 'add', left, right, shape: left.shape };
}

export function scale(input: Expression, by: number | Expression): Expression {
  if (typeof by !== 'number') {
    const fits = by.shape.every((extent, at) => extent === 1 || extent === input.shape[at]);
    require(fits && by.shape.length === input.shape.length, 'scale', input.shape, by.shape);
  }
  return { op: 'scale', of: input, by, shape: input.shape };
}

export function sum(input: Expression): Expression {
  return { op: 'sum', of: input, shape: input.shape.slice(0, -1) };
}

export function reshape(input: Expression, shape: Shape): Expression {
  if (input.shape.join() === shape.join()) return input;
  require(sizeOf(input.shape) === sizeOf(shape), 'reshape', input.shape, shape);
  return { op: 'reshape', of: input.op === 'reshape' ? input.of : input, shape };
}

/** Moves into products of matrices, so that those can still be applied factor by factor. */
export function transpose(input: Expression, permutation: readonly number[] = [1, 0]): Expression {
  const { shape } = input;
  const sorted = [...permutation].sort((a, b) => a - b);
  require(sorted.join() === shape.map((_, at) => at).join(), 'transpose', shape, permutation);
  if (permutation.every((from, at) => from === at)) return input;
  if (shape.length === 2) {
    if (input.op === 'matmul') return matmul(transpose(input.right), transpose(input.left));
    if (input.op === 'kronecker') return kronecker(transpose(input.left), transpose(input.right));
    if (input.op === 'add') return add(transpose(input.left), transpose(input.right));
    if (input.op === 'scale')
      return scale(
        transpose(input.of),
        typeof input.by === 'number' ? input.by : transpose(input.by),
      );
    if (input.op === 'transpose') return input.of;
    if (input.op === 'gather' && input.block === 1)
      return gather(
        input.of,
        transposedIndex(input.index, shape as [number, number]),
        [...shape].reverse(),
        1,
        input.drawn && { ...input.drawn, turned: !input.drawn.turned },
      );
  }
  return {
    op: 'transpose',
    of: input,
    permutation,
    shape: permutation.map((from) => shape[from]!),
  };
}

export function slice(input: Expression, begin: readonly number[], shape: Shape): Expression {
  if (input.shape.join() === shape.join()) return input;
  const fits = shape.every(
    (extent, at) => begin[at]! >= 0 && begin[at]! + extent <= input.shape[at]!,
  );
  require(fits && shape.length === input.shape.length, 'slice', input.shape, shape);
  return { op: 'slice', of: input, begin, shape };
}

export function concat(parts: readonly Expression[], axis: number): Expression {
  const first = parts[0]!.shape;
  const others = ({ shape }: Expression) => shape.filter((_, at) => at !== axis).join();
  for (const part of parts)
    require(others(part) === others(parts[0]!), 'concat', first, part.shape);
  const extent = parts.reduce((total, { shape }) => total + shape[axis]!, 0);
  return { op: 'concat', of: parts, axis, shape: first.map((e, at) => (at === axis ? extent : e)) };
}

/** The expressions directly inside one. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'stored':
    case 'constant':
      return [];
    case 'matmul':
    case 'kronecker':
    case 'add':
      return [expression.left, expression.right];
    case 'scale':
      return typeof expression.by === 'number' ? [expression.of] : [expression.of, expression.by];
    case 'concat':
      return expression.of;
    default:
      return [expression.of];
  }
}

/** Every expression in one, itself first; one that is used twice comes once. */
export function nodesOf(expression: Expression): readonly Expression[] {
  const seen = new Set<Expression>();
  const visit = (node: Expression) => {
    if (seen.has(node)) return;
    seen.add(node);
    operandsOf(node).forEach(visit);
  };
  visit(expression);
  return [...seen];
}

/** The stored parameters that it reads, each once. */
export function storedIn(expression: Expression): string[] {
  const names = nodesOf(expression).flatMap((node) => (node.op === 'stored' ? [node.name] : []));
  return [...new Set(names)];
}

function transposedIndex(index: Int32Array, [rows, columns]: readonly [number, number]) {
  const moved = new Int32Array(index.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) moved[c * rows + r] = index[r * columns + c]!;
  return moved;
}

/** A kind that makes an impossible expression is wrong itself: users get its own errors before. */
function require(fits: boolean, op: string, a: Shape, b: Shape): void {
  if (!fits) throw new RangeError(`${op} of [${a.join(', ')}] and [${b.join(', ')}]`);
}
