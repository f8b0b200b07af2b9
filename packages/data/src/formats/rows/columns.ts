import { badData } from '../../contract/bad-data.js';
import { product } from '../../contract/indices.js';
import { badOption } from '../../contract/options.js';
import type { CsvSchema } from './schema.js';

/** The columns of a table, by position from 0, and what they are read as. */
export interface Columns {
  readonly names: readonly string[];
  /** That of field `y`. */
  readonly label: number | undefined;
  /** Those of field `x`. */
  readonly inputs: readonly number[];
  /** The words of input columns of words. */
  readonly categories: ReadonlyMap<number, readonly string[]>;
  /** What a cell without a value stands for. */
  readonly missing: ReadonlyMap<number, number | string>;
  /** Of one example. */
  readonly shape: readonly number[];
}

/**
 * Finds the columns that a schema speaks of.
 * @param header the names of the columns, or only their number
 * @throws TuttiError BAD_DATA for a column that is not there, BAD_PROGRAM for what makes no sense
 */
export function resolveColumns(
  file: string,
  header: readonly string[] | number,
  schema: CsvSchema,
): Columns {
  const names =
    typeof header === 'number'
      ? Array.from({ length: header }, (_, i) => `column ${i}`)
      : header.map((name, i) => name.trim() || `column ${i}`);
  const positionOf = (column: string | number) => positionIn(file, names, column);
  const label = schema.label === undefined ? undefined : positionOf(schema.label);
  const inputs =
    schema.columns?.map(positionOf) ?? names.map((_, i) => i).filter((i) => i !== label);
  if (inputs.length === 0)
    throw badData('has no column for the inputs', 'Name some in `columns`.', {
      file,
      line: 1,
      found: names,
    });
  const ofInputs = <T>(option: 'categories' | 'missing', given: Readonly<Record<string, T>> = {}) =>
    new Map(
      Object.entries(given).map(([name, value]) => {
        const position = positionOf(names.includes(name) || !/^\d+$/.test(name) ? name : +name);
        if (inputs.includes(position)) return [position, value];
        throw badData(
          `\`${option}\` names ${names[position]}, which is no input column`,
          'Name input columns only.',
          { file, line: 1, column: names[position] },
        );
      }),
    );
  const categories = ofInputs('categories', schema.categories);
  const missing = ofInputs('missing', schema.missing);
  checkMissing(missing, categories, names);
  const width = inputs.reduce((sum, column) => sum + (categories.get(column)?.length ?? 1), 0);
  const shape = schema.shape ?? [width];
  if (product(shape) !== width) {
    throw badData(
      `${width} inputs do not fill the shape [${shape}]`,
      'Give a shape for exactly the inputs.',
      { file, line: 1, expected: product(shape), found: width },
    );
  }
  return { names, label, inputs, categories, missing, shape };
}

/**
 * Where a column is that is given by name or position.
 * @throws TuttiError BAD_DATA if there is none, or several of that name
 */
export function positionIn(
  file: string,
  names: readonly string[],
  column: string | number,
): number {
  const position = typeof column === 'number' ? column : names.indexOf(column);
  if (typeof column === 'string' && position !== names.lastIndexOf(column))
    throw badData(
      `there are several columns ${column}`,
      'Give the position of the one that is meant, from 0, or each a name of its own.',
      { file, line: 1, expected: column, found: names },
    );
  if (Number.isInteger(position) && position >= 0 && position < names.length) return position;
  throw badData(
    `there is no column ${column}, only ${names.join(', ')}`,
    'Name a column of the first line, or give its position from 0.',
    { file, line: 1, expected: column, found: names },
  );
}

function checkMissing(
  missing: Columns['missing'],
  categories: Columns['categories'],
  names: readonly string[],
): void {
  for (const [column, value] of missing) {
    const words = categories.get(column);
    if (words === undefined ? Number.isFinite(value) : words.includes(value as string)) continue;
    throw badOption(
      `\`missing\` says ${JSON.stringify(value)} for ${names[column]}`,
      words === undefined ? 'Give a number.' : `Give one of its words: ${words.join(', ')}.`,
    );
  }
}
