import { checkKeys } from '@tutti/runtime';
import {
  constant,
  type Expression,
  gather,
  reshape,
  type Shape,
  scale,
  sizeOf,
  stored,
  sum,
} from '../expressions/expression.js';
import { badRule, called, type KindRule, type PretrainedOptions, show } from '../rule.js';
import { leastSquares } from '../sparse.js';

/** Which stored value each element reads, -1 for none: flat, or a function of the element's place. */
export type IndexMap = ArrayLike<number> | ((...place: number[]) => number);

/** The sharing matrix S of W = S theta: for each element of the weight, a row. */
export type SharingMatrix =
  /** One entry of 1 in each row, or none. */
  | IndexMap
  /** One entry in each row, with its value. */
  | { readonly index: IndexMap; readonly factor: ArrayLike<number> }
  /** Any entries: element rows[i] of the flat weight reads values[i] times stored value columns[i]. */
  | {
      readonly rows: ArrayLike<number>;
      readonly columns: ArrayLike<number>;
      readonly values: ArrayLike<number>;
    };

export interface SharedOptions extends PretrainedOptions {
  /** How many values are stored: one more than the largest that is named, if not given. */
  readonly stored?: number | undefined;
}

/** A sharing matrix of the user's own: W = S theta, element by element of the flat weight. */
export function shared(
  names: string | readonly string[],
  matrix: SharingMatrix,
  options: SharedOptions = {},
): KindRule {
  checkKeys('shared', options, { stored: true, from: true });
  return {
    kind: 'shared',
    names: [names].flat(),
    from: options.from,
    define([weight]) {
      const { name, shape } = weight!;
      const rule = called('shared', [name]);
      const { index, factor, width } = entriesOf(rule, matrix, shape);
      const most = index.reduce((largest, at) => Math.max(largest, at), 0);
      const count = options.stored ?? most;
      if (!Number.isSafeInteger(count) || count < 1 || most > count)
        throw badRule(
          `${rule} names stored value ${most - 1}, but stores ${count}`,
          'Count from 0, and give `stored` a whole number above the largest.',
        );
      const values = stored(name, [count]);
      const rows: Shape = width === 1 ? shape : [sizeOf(shape), width];
      const read = gather(values, index, rows);
      const times: Expression =
        factor === undefined
          ? read
          : scale(read, constant({ kind: 'given', values: factor }, rows));
      return {
        stored: [{ name, shape: [count] }],
        expressions: [width === 1 ? times : reshape(sum(times), shape)],
        initial: ([given], { pretrained }) => ({
          [name]: leastSquares({ index, factor, width, stored: count }, given!, pretrained),
        }),
      };
    },
  };
}

function entriesOf(
  rule: string,
  matrix: SharingMatrix,
  shape: Shape,
): { index: Int32Array; factor: Float32Array | undefined; width: number } {
  const size = sizeOf(shape);
  if (typeof matrix === 'object' && 'rows' in matrix) return sparseEntries(rule, matrix, size);
  const [map, factor] =
    typeof matrix === 'object' && 'factor' in matrix
      ? [matrix.index, matrix.factor]
      : [matrix, undefined];
  if (typeof map !== 'function' && map.length !== size)
    throw badRule(`${rule} maps ${map.length} elements, but the weight ${show(shape)} has ${size}`);
  if (factor !== undefined && factor.length !== size)
    throw badRule(
      `${rule} has ${factor.length} factors, but the weight ${show(shape)} has ${size} elements`,
    );
  const index = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const at = typeof map === 'function' ? map(...placeOf(i, shape)) : map[i]!;
    if (!Number.isSafeInteger(at) || at < -1)
      throw badRule(
        `${rule} maps element ${i} to ${at}`,
        'Give whole numbers from 0, or -1 for an element that reads none and stays 0.',
      );
    index[i] = at + 1;
  }
  return { index, factor: factor && finite(rule, factor), width: 1 };
}

function sparseEntries(
  rule: string,
  { rows, columns, values }: Extract<SharingMatrix, { rows: unknown }>,
  size: number,
) {
  if (rows.length !== columns.length || rows.length !== values.length)
    throw badRule(
      `${rule} has ${rows.length} rows, ${columns.length} columns and ${values.length} values`,
      'Give one of each for every entry.',
    );
  const filled = new Int32Array(size);
  let width = 1;
  for (let i = 0; i < rows.length; i++) {
    const [row, column] = [rows[i]!, columns[i]!];
    if (!Number.isSafeInteger(row) || row < 0 || row >= size)
      throw badRule(`${rule} has an entry in row ${row}, but the weight has ${size} elements`);
    if (!Number.isSafeInteger(column) || column < 0)
      throw badRule(`${rule} has an entry in column ${column}`, 'Count from 0.');
    filled[row]! += 1;
    width = Math.max(width, filled[row]!);
  }
  const index = new Int32Array(size * width);
  const factor = new Float32Array(size * width);
  filled.fill(0);
  for (let i = 0; i < rows.length; i++) {
    const at = rows[i]! * width + filled[rows[i]!]!++;
    index[at] = columns[i]! + 1;
    factor[at] = values[i]!;
  }
  return { index, factor: finite(rule, factor), width };
}

function finite(rule: string, given: ArrayLike<number>): Float32Array {
  const values = Float32Array.from(given);
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw badRule(`Factor ${at} of ${rule} is ${given[at]}`, 'Give finite numbers.');
  return values;
}

function placeOf(at: number, shape: Shape): number[] {
  const place: number[] = [];
  let rest = at;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return place;
}
