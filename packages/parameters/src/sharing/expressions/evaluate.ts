import { type Expression, type Op, type Shape, sizeOf } from './expression.js';

/** Where the leaves of an expression get their values. */
export interface Leaves {
  stored(name: string): ArrayLike<number>;
  constant(node: Op<'constant'>): ArrayLike<number>;
}

/**
 * The values of an expression, flat, in double precision: plain loops, which everything faster is
 * compared with.
 */
export function evaluate(expression: Expression, leaves: Leaves): Float64Array {
  const { shape } = expression;
  const valuesOf = (node: Expression) => evaluate(node, leaves);
  switch (expression.op) {
    case 'stored':
      return exactly(expression, leaves.stored(expression.name));
    case 'constant':
      return exactly(expression, leaves.constant(expression));
    case 'gather':
      return gathered(expression, valuesOf(expression.of));
    case 'shear':
      return sheared(expression, valuesOf(expression.of));
    case 'matmul':
      return product(expression, valuesOf(expression.left), valuesOf(expression.right));
    case 'kronecker':
      return kroneckered(expression, valuesOf(expression.left), valuesOf(expression.right));
    case 'add': {
      const right = valuesOf(expression.right);
      return valuesOf(expression.left).map((value, i) => value + right[i]!);
    }
    case 'scale': {
      const { by } = expression;
      if (typeof by === 'number') return valuesOf(expression.of).map((value) => value * by);
      const factors = valuesOf(by);
      const places = readers(
        shape,
        stridesOf(by.shape).map((s, i) => (by.shape[i] === 1 ? 0 : s)),
      );
      return valuesOf(expression.of).map((value, i) => value * factors[places[i]!]!);
    }
    case 'sum': {
      const values = valuesOf(expression.of);
      const width = expression.of.shape.at(-1)!;
      return Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
        values.subarray(i * width, (i + 1) * width).reduce((total, value) => total + value, 0),
      );
    }
    case 'reshape':
      return valuesOf(expression.of);
    case 'transpose': {
      const strides = stridesOf(expression.of.shape);
      const values = valuesOf(expression.of);
      const moved = expression.permutation.map((from) => strides[from]!);
      return Float64Array.from(readers(shape, moved), (place) => values[place]!);
    }
    case 'slice': {
      const strides = stridesOf(expression.of.shape);
      const first = expression.begin.reduce((sum, at, i) => sum + at * strides[i]!, 0);
      const values = valuesOf(expression.of);
      return Float64Array.from(readers(shape, strides), (place) => values[first + place]!);
    }
    case 'concat':
      return joined(expression, expression.of.map(valuesOf));
  }
}

function exactly({ shape }: { readonly shape: Shape }, values: ArrayLike<number>): Float64Array {
  if (values.length !== sizeOf(shape))
    throw new RangeError(`${values.length} values were given for [${shape.join(', ')}]`);
  return Float64Array.from(values);
}

function gathered({ index, block, shape }: Op<'gather'>, rows: Float64Array): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  for (let i = 0; i < index.length; i++) {
    const at = index[i]!;
    if (at === 0) continue;
    const [from, sign] = [(Math.abs(at) - 1) * block, Math.sign(at)];
    for (let k = 0; k < block; k++) out[i * block + k] = sign * rows[from + k]!;
  }
  return out;
}

function sheared({ of: input, shape, start, direction }: Op<'shear'>, values: Float64Array) {
  const period = input.shape.at(-1)!;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const out = new Float64Array(sizeOf(shape));
  for (let i = 0; i < out.length; i++) {
    const c = i % columns;
    const r = Math.floor(i / columns) % rows;
    const matrix = Math.floor(i / (rows * columns));
    const at = (((start + c + direction * r) % period) + period) % period;
    out[i] = values[matrix * period + at]!;
  }
  return out;
}

function product({ left, shape }: Op<'matmul'>, a: Float64Array, b: Float64Array): Float64Array {
  const [rows, columns] = shape as [number, number];
  const inner = left.shape[1]!;
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < inner; k++) {
      const factor = a[r * inner + k]!;
      for (let c = 0; c < columns; c++) out[r * columns + c]! += factor * b[k * columns + c]!;
    }
  return out;
}

function kroneckered({ left, right, shape }: Op<'kronecker'>, a: Float64Array, b: Float64Array) {
  const columns = shape[1]!;
  const [height, width] = right.shape as [number, number];
  return new Float64Array(sizeOf(shape)).map((_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    const outer = Math.floor(r / height) * left.shape[1]! + Math.floor(c / width);
    return a[outer]! * b[(r % height) * width + (c % width)]!;
  });
}

function joined(
  { of: parts, axis, shape }: Op<'concat'>,
  values: readonly Float64Array[],
): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  const before = sizeOf(shape.slice(0, axis));
  const whole = sizeOf(shape.slice(axis));
  let at = 0;
  for (const [i, part] of values.entries()) {
    const run = sizeOf(parts[i]!.shape.slice(axis));
    for (let k = 0; k < before; k++) out.set(part.subarray(k * run, (k + 1) * run), k * whole + at);
    at += run;
  }
  return out;
}

function stridesOf(shape: Shape): number[] {
  return shape.map((_, at) => sizeOf(shape.slice(at + 1)));
}

/** For each element of a tensor of this shape, the place that the strides lead to. */
function readers(shape: Shape, strides: readonly number[]): Float64Array {
  const places = new Float64Array(sizeOf(shape));
  let filled = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    for (let k = 1; k < shape[axis]!; k++)
      for (let i = 0; i < filled; i++) places[k * filled + i] = places[i]! + k * strides[axis]!;
    filled *= shape[axis]!;
  }
  return places;
}
