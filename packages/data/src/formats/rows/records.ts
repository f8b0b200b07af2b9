import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
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
  if (rows.length === 0)
    throw badData('has no rows', 'Give a file with at least one example.', { file });
  const { names, widths } = flatNames(records);
  const columns = schema.columns?.flatMap((column) => partsOf(column, records.names, widths));
  const reader = createRowReader(file, names, { ...schema, ...(columns && { columns }) });
  const [xs, ys]: [number[], number[]] = [[], []];
  rows.forEach((row, at) => {
    const line = lines?.[at] ?? at + 1;
    const { x, y } = reader.read(flatCells(row, records, widths, line), line);
    for (const value of x) xs.push(value);
    ys.push(y);
  });
  return rowsInMemory(file, rows.length, reader.fields(xs, ys), reader.notices());
}

/** Lists that the first row has become columns of their own: `pixels.0`, `pixels.1`, ... */
function flatNames({ names, rows }: Records) {
  const widths = names.map((_, column) => listOf(rows[0]![column])?.length);
  const flat = names.flatMap((name, column) => {
    const width = widths[column];
    return width === undefined ? [name] : Array.from({ length: width }, (_, at) => `${name}.${at}`);
  });
  return { names: flat, widths };
}

function partsOf(
  column: string | number,
  names: readonly string[],
  widths: readonly (number | undefined)[],
): (string | number)[] {
  const width = typeof column === 'string' ? widths[names.indexOf(column)] : undefined;
  return width === undefined
    ? [column]
    : Array.from({ length: width }, (_, at) => `${column}.${at}`);
}

function flatCells(
  row: readonly unknown[],
  { file, names }: Records,
  widths: readonly (number | undefined)[],
  line: number,
): string[] {
  return row.flatMap((value, column) => {
    const list = listOf(value);
    const width = widths[column];
    if (list?.length === width) return list?.map(cellOf) ?? [cellOf(value)];
    const found = list === undefined ? cellOf(value) || 'nothing' : `${list.length} values`;
    throw badData(
      `${names[column]} is ${found}, in the first row ${width === undefined ? 'one value' : `${width} values`}`,
      'Give every row as many values, or leave the column out with `columns`.',
      { file, line, column: names[column] },
    );
  });
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value.flat(Number.POSITIVE_INFINITY);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<unknown>);
  return undefined;
}

/** As a CSV file has it: what is not there is empty, yes and no are 1 and 0. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
