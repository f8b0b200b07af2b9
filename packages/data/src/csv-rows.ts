import { badData } from './bad-data.js';
import type { Batch, Field } from './dataset.js';
import { product } from './indices.js';

/** What the columns of a CSV file mean. */
export interface CsvSchema {
  /** The column of field `y`, by name or by position from 0. Without it there is no `y`. */
  readonly label?: string | number | undefined;
  /** The columns of field `x`. Default: all but the label's. */
  readonly columns?: readonly (string | number)[] | undefined;
  /**
   * The classes of the label: their names in the file, or their number if they are written as 0, 1,
   * ... Then `y` is int32; without `classes` it is a float32 to be predicted.
   */
  readonly classes?: number | readonly string[] | undefined;
  /** Inputs are multiplied by this. */
  readonly scale?: number | undefined;
  /** The shape of one example, such as [28, 28, 1]. Default: [number of input columns]. */
  readonly shape?: readonly number[] | undefined;
}

/** Turns the cells of a row into numbers. */
export interface RowReader {
  /** @throws TuttiError BAD_DATA naming file, line or offset, and column */
  read(cells: readonly string[], line?: number, offset?: number): { x: number[]; y: number };
  /** Makes a batch of the inputs of all rows, one after the other, and of their labels. */
  fields(xs: ArrayLike<number>, ys: ArrayLike<number>): Batch;
}

/** @param header the names of the columns, or only their number */
export function createRowReader(
  file: string,
  header: readonly string[] | number,
  schema: CsvSchema,
): RowReader {
  const names =
    typeof header === 'number'
      ? Array.from({ length: header }, (_, i) => `column ${i}`)
      : header.map((name) => name.trim());
  const width = names.length;
  const positionOf = (column: string | number) => {
    const position = typeof column === 'number' ? column : names.indexOf(column);
    if (Number.isInteger(position) && position >= 0 && position < width) return position;
    throw badData(
      `there is no column ${column}, only ${names.join(', ')}`,
      'Name a column of the first line, or give its position from 0.',
      { file, line: 1, expected: column, found: names },
    );
  };
  const label = schema.label === undefined ? undefined : positionOf(schema.label);
  const inputs =
    schema.columns?.map(positionOf) ?? names.map((_, i) => i).filter((i) => i !== label);
  const shape = schema.shape ?? [inputs.length];
  if (product(shape) !== inputs.length) {
    throw badData(
      `${inputs.length} input columns do not fill the shape [${shape}]`,
      'Give a shape for exactly the input columns.',
      { file, line: 1, expected: product(shape), found: inputs.length },
    );
  }
  const { classes, scale } = schema;
  const classOf =
    typeof classes === 'object' ? new Map(classes.map((name, i) => [name, i])) : undefined;

  return {
    read(cells, line, offset) {
      const place = {
        file,
        ...(line === undefined ? {} : { line }),
        ...(offset === undefined ? {} : { offset }),
      };
      if (cells.length !== width) {
        throw badData(
          `expected ${width} columns, found ${cells.length}`,
          'Give every row the same number of cells.',
          { ...place, expected: width, found: cells.length },
        );
      }
      const number = (column: number) => {
        const text = cells[column]!.trim();
        const value = text === '' ? Number.NaN : Math.fround(Number(text));
        if (Number.isFinite(value)) return value;
        throw badData(
          `expected a number in ${names[column]}, found ${text === '' ? 'an empty cell' : `"${text}"`}`,
          'Fill in a number, or choose other `columns`.',
          { ...place, column: names[column], found: text },
        );
      };
      const labelOf = (column: number) => {
        if (classes === undefined) return number(column);
        const text = cells[column]!.trim();
        const value = classOf ? classOf.get(text) : text === '' ? Number.NaN : Number(text);
        const count = classOf?.size ?? (classes as number);
        if (value !== undefined && Number.isInteger(value) && value >= 0 && value < count) {
          return value;
        }
        const allowed = classOf ? [...classOf.keys()].join(', ') : `0 to ${count - 1}`;
        throw badData(
          `label "${text}" in ${names[column]} is not one of ${allowed}`,
          'Correct the label, or add it to `classes`.',
          { ...place, column: names[column], found: text, classes },
        );
      };
      const x = inputs.map((column) =>
        scale === undefined ? number(column) : number(column) * scale,
      );
      return { x, y: label === undefined ? 0 : labelOf(label) };
    },

    fields(xs, ys) {
      const x: Field = { data: Float32Array.from(xs), shape: [ys.length, ...shape] };
      if (label === undefined) return { x };
      const y = classes === undefined ? Float32Array.from(ys) : Int32Array.from(ys);
      return { x, y: { data: y, shape: [ys.length] } };
    },
  };
}
