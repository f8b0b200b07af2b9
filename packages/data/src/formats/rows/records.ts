import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { flatColumns, type Shape, shapeOf, valuesIn } from './lists.js';
import { createRowReader } from './row-reader.js';
import { rowsInMemory } from './rows-in-memory.js';
import type { CsvSchema } from './schema.js';

/** Rows of named values, in the order of the file. */
export interface Records {
  readonly file: string;
  readonly names: readonly string[];
  /** Number, text, boolean or nothing; or a list of numbers, as long in every row. */
  readonly rows: readonly (readonly unknown[])[];
  /** What a row is called in errors, and where it lies: from 1. Default: as they are numbered. */
  readonly lines?: readonly number[];
}

/**
 * A data set of rows that are in memory, by the schema of a CSV file. A list of numbers becomes as many
 * inputs, in its place.
 * @throws TuttiError BAD_DATA naming file, row and column
 */
export function recordsDataset(records: Records, schema: CsvSchema): Dataset {
  const { file, rows, lines } = records;
  const names = records.names.map((name) => name.trim());
  if (rows.length === 0)
    throw badData('has no rows', 'Give a file with at least one example.', { file });
  const shapes = names.map((_, column) => shapeOf(rows[0]![column]));
  const flat = flatColumns(file, names, shapes, schema);
  const reader = createRowReader(file, flat.names, flat.schema);
  const used = flat.parts.map((parts) => parts.some(reader.uses));
  const [xs, ys]: [number[], number[]] = [[], []];
  rows.forEach((row, at) => {
    const line = lines?.[at] ?? at + 1;
    const cells = row.flatMap((value, column) => {
      if (!used[column]) return flat.parts[column]!.map(() => '');
      checkShape(value, shapes[column], { file, line, column: names[column]! });
      return valuesIn(value).map(cellOf);
    });
    const { x, y } = reader.read(cells, line);
    for (const value of x) xs.push(value);
    ys.push(y);
  });
  return rowsInMemory(file, rows.length, reader.fields(xs, ys), reader.notices());
}

function checkShape(
  value: unknown,
  expected: Shape,
  place: { readonly file: string; readonly line: number; readonly column: string },
): void {
  const shape = shapeOf(value);
  if (shape !== undefined && String(shape) === String(expected)) return;
  const said = (of: Shape) =>
    of === undefined
      ? 'no values, or lists of different lengths'
      : of.length === 0
        ? 'one value'
        : `${of.join(' x ')} values`;
  const found = shape?.length === 0 ? cellOf(value) || 'nothing' : said(shape);
  throw badData(
    `${place.column} is ${found}${shape === expected ? '' : `, in the first row ${said(expected)}`}`,
    'Give every row as many values, or leave the column out with `columns`.',
    place,
  );
}

/** As a CSV file has it: what is not there is empty, yes and no are 1 and 0. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value instanceof Date) return Number.isNaN(+value) ? String(value) : value.toISOString();
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));
}
