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
  /**
   * Input columns of words, with all their words: `{ city: ['Bern', 'Basel'] }`. Each word becomes an
   * input, in the place of the column: 1 where the cell says it, else 0.
   */
  readonly categories?: Readonly<Record<string, readonly string[]>> | undefined;
  /** What an empty cell of an input column stands for: `{ rooms: 3 }`. Without it, one is an error. */
  readonly missing?: Readonly<Record<string, number>> | undefined;
  /** Inputs are multiplied by this; words and what stands for an empty cell are not. */
  readonly scale?: number | undefined;
  /** The shape of one example, such as [28, 28, 1]. Default: [number of inputs]. */
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
  const positionOf = (column: string | number) => {
    const position = typeof column === 'number' ? column : names.indexOf(column);
    if (Number.isInteger(position) && position >= 0 && position < names.length) return position;
    throw badData(
      `there is no column ${column}, only ${names.join(', ')}`,
      'Name a column of the first line, or give its position from 0.',
      { file, line: 1, expected: column, found: names },
    );
  };
  const label = schema.label === undefined ? undefined : positionOf(schema.label);
  const inputs =
    schema.columns?.map(positionOf) ?? names.map((_, i) => i).filter((i) => i !== label);
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
  const width = inputs.reduce((sum, column) => sum + (categories.get(column)?.length ?? 1), 0);
  const shape = schema.shape ?? [width];
  if (product(shape) !== width) {
    throw badData(
      `${width} inputs do not fill the shape [${shape}]`,
      'Give a shape for exactly the inputs.',
      { file, line: 1, expected: product(shape), found: width },
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
      if (cells.length !== names.length) {
        throw badData(
          `expected ${names.length} columns, found ${cells.length}`,
          'Give every row the same number of cells.',
          { ...place, expected: names.length, found: cells.length },
        );
      }
      const number = (column: number) => {
        const text = cells[column]!.trim();
        const value = text === '' ? Number.NaN : Math.fround(Number(text));
        if (Number.isFinite(value)) return value;
        const [found, remedy] =
          text === ''
            ? ['an empty cell', 'Fill in a number, or say in `missing` what it stands for.']
            : [`"${text}"`, 'Correct it, or list the words of the column in `categories`.'];
        throw badData(
          `expected a number in ${names[column]}, found ${found}`,
          column === label
            ? 'Correct it: the label is a number, unless there are `classes`.'
            : remedy,
          { ...place, column: names[column], found: text },
        );
      };
      const inputsOf = (column: number): number[] => {
        const text = cells[column]!.trim();
        const words = categories.get(column);
        if (words === undefined) {
          if (text === '' && missing.has(column)) return [missing.get(column)!];
          return [scale === undefined ? number(column) : number(column) * scale];
        }
        if (words.includes(text)) return words.map((word) => (word === text ? 1 : 0));
        throw badData(
          `"${text}" in ${names[column]} is not one of ${words.join(', ')}`,
          'Correct it, or add it to `categories`.',
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
      const x = inputs.flatMap(inputsOf);
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
