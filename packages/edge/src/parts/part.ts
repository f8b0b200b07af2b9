import { zeros } from '../arrays.js';
import { product, type Shape, type Table } from '../layers/layer.js';

/** A part that is computed, with the shapes that it has in one model. */
export interface MadePart {
  readonly shape: Shape;
  /** What it costs besides, in values: `hold` is told. */
  readonly work?: number;
  /** How much is held, if it is not made as a whole unless all of it is asked for. */
  readonly held?: Shape;
  make(operands: readonly Float32Array[]): Table;
}

/** How parts may be computed from others. */
export interface PartKind {
  /** How many others; the file says it, if this does not. */
  readonly operands?: number;
  /** How many whole numbers the file gives for it; `list` for any number of them. */
  readonly numbers?: number | 'list';
  /** @throws EdgeError for shapes and numbers that do not fit each other */
  open(operands: readonly Shape[], numbers: readonly number[]): MadePart;
}

/** A part of this shape, each element for itself. */
export const byElements = (
  shape: Shape,
  element: (i: number, operands: readonly Float32Array[]) => number,
): MadePart => ({
  shape,
  make: (operands) => zeros(product(shape)).map((_, i) => element(i, operands)),
});

/** How far apart neighbours along each dimension are. */
export const stridesOf = (shape: Shape): number[] =>
  shape.map((_, axis) => product(shape.slice(axis + 1)));

/** Values of a tensor of this shape, of which neighbours along each dimension lie `strides` apart. */
export function strided(
  values: Float32Array,
  shape: Shape,
  strides: readonly number[],
  first = 0,
): Float32Array {
  const y = zeros(product(shape));
  const place = shape.map(() => 0);
  let from = first;
  for (let i = 0; i < y.length; i++) {
    y[i] = values[from]!;
    for (let axis = shape.length; axis-- > 0; ) {
      from += strides[axis]!;
      if (++place[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      place[axis] = 0;
    }
  }
  return y;
}

/** In [0, modulus), also of a negative number. */
export const remainder = (value: number, modulus: number): number =>
  ((value % modulus) + modulus) % modulus;
