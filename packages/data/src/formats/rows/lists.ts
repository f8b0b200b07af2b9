import { badData } from '../../contract/bad-data.js';
import { product } from '../../contract/indices.js';
import { positionIn } from './columns.js';
import type { CsvSchema } from './schema.js';

/**
 * How many values a cell has: [2, 3] for two lists of three, [] for one value. Undefined for no values, and
 * for lists that differ in length.
 */
export type Shape = readonly number[] | undefined;

export function shapeOf(cell: unknown): Shape {
  if (!isList(cell)) return [];
  if (cell.length === 0) return undefined;
  if (!Array.isArray(cell) || !cell.some(isList)) return [cell.length];
  const [first, ...others] = cell.map(shapeOf);
  const alike = others.every((each) => String(each) === String(first));
  return alike && first !== undefined ? [cell.length, ...first] : undefined;
}

/** All values of a cell, one after the other. */
export function valuesIn(cell: unknown): unknown[] {
  return isList(cell) ? Array.from(cell).flatMap(valuesIn) : [cell];
}

function isList(cell: unknown): cell is ArrayLike<unknown> {
  return Array.isArray(cell) || (ArrayBuffer.isView(cell) && !(cell instanceof DataView));
}

/** Columns of which each value of a list is one of its own: `pixels.0`, `pixels.1`, ... */
export interface FlatColumns {
  readonly names: readonly string[];
  /** What each column before has become, by position. */
  readonly parts: readonly (readonly number[])[];
  /** What it said of a column it says of all its parts. */
  readonly schema: CsvSchema;
}

/**
 * @param shapes of the cells of each column
 * @throws TuttiError BAD_DATA for a position that there is not, and a name that several have
 */
export function flatColumns(
  file: string,
  given: readonly string[],
  shapes: readonly Shape[],
  { label, columns, categories, missing, ...others }: CsvSchema,
): FlatColumns {
  let count = 0;
  const parts = shapes.map((shape = []) => Array.from({ length: product(shape) }, () => count++));
  const names = parts.flatMap((own, column) =>
    shapes[column]?.length ? own.map((_, at) => `${given[column]}.${at}`) : [given[column]!],
  );
  /** A name that was not given may be that of a part. */
  const partsOf = (column: string | number): readonly (string | number)[] =>
    typeof column === 'string' && !given.includes(column)
      ? [column]
      : parts[positionIn(file, given, column)]!;
  const ofParts = <T>(values: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([key, value]) => {
        const isPosition = /^\d+$/.test(key) && !given.includes(key);
        return partsOf(isPosition ? Number(key) : key).map((part) => [
          typeof part === 'number' ? names[part]! : part,
          value,
        ]);
      }),
    );
  const labels = label === undefined ? [] : partsOf(label);
  if (labels.length > 1)
    throw badData(
      `${given[positionIn(file, given, label!)]} has ${labels.length} values in each row, and a label is one`,
      'Name the one that is the label, such as `target.0`, or another column.',
      { file, column: label },
    );
  return {
    names,
    parts,
    schema: {
      ...others,
      label: labels[0],
      columns: columns?.flatMap(partsOf),
      ...(categories && { categories: ofParts(categories) }),
      ...(missing && { missing: ofParts(missing) }),
    },
  };
}
