import { TuttiError } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import type { Batch, Dataset, Field, Notice } from '../../contract/dataset.js';
import { checkIndices, product } from '../../contract/indices.js';
import { arrays } from '../../memory/arrays.js';
import { createRoundedIntegers } from '../../memory/rounded-integers.js';
import { isMissing } from './missing-cells.js';

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
  /**
   * What a cell of an input column without a value stands for: `{ rooms: 3 }`, or a word of a column
   * of words. Such cells are empty, or say NA, NaN, N/A, null, None, ? and the like. Without it, one is
   * an error.
   */
  readonly missing?: Readonly<Record<string, number | string>> | undefined;
  /** Inputs are multiplied by this; words and what stands for a missing value are not. */
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
  /** What is to be said of the rows read so far. */
  notices(): Notice[];
}

/** Where row `index` of a file stands, for errors. */
export const rowOf = (file: string) => (index: number) => `row ${index + 1} of ${file}`;

/** The data set of rows whose fields are in memory. */
export function rowsInMemory(
  file: string,
  size: number,
  fields: Batch,
  notices: readonly Notice[],
): Dataset {
  const { read } = arrays(fields);
  return {
    size,
    async read(indices) {
      checkIndices(indices, size, file);
      return read(indices);
    },
    notices,
    origin: rowOf(file),
  };
}

/** NaN for what is no number. With a decimal comma, points may part thousands. */
function numberIn(text: string, decimal: '.' | ','): number {
  if (text === '') return Number.NaN;
  if (decimal === '.') return Number(text);
  const whole = /^[+-]?\d{1,3}(\.\d{3})+(,|$)/.test(text) ? text.replaceAll('.', '') : text;
  return whole.includes('.') ? Number.NaN : Number(whole.replace(',', '.'));
}

/** @param header the names of the columns, or only their number */
export function createRowReader(
  file: string,
  header: readonly string[] | number,
  schema: CsvSchema & { readonly decimal?: '.' | ',' | undefined },
): RowReader {
  const { decimal = '.' } = schema;
  checkOptions(schema);
  if (decimal !== '.' && decimal !== ',')
    throw bad(`decimal is ${JSON.stringify(decimal)}`, "Give '.' or ','.");
  const names =
    typeof header === 'number'
      ? Array.from({ length: header }, (_, i) => `column ${i}`)
      : header.map((name, i) => name.trim() || `column ${i}`);
  const positionOf = (column: string | number) => {
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
  for (const [column, value] of missing) {
    const words = categories.get(column);
    if (words === undefined ? Number.isFinite(value) : words.includes(value as string)) continue;
    throw bad(
      `\`missing\` says ${JSON.stringify(value)} for ${names[column]}`,
      words === undefined ? 'Give a number.' : `Give one of its words: ${words.join(', ')}.`,
    );
  }
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
  const rounded = createRoundedIntegers();

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
      const number = (column: number, factor = 1) => {
        const text = cells[column]!.trim();
        const exact = numberIn(text, decimal);
        const stored = Math.fround(exact);
        const value = Math.fround(stored * factor);
        if (Number.isFinite(value)) {
          if (stored !== exact) rounded.see(exact, () => `${names[column]} of line ${line}`);
          return value;
        }
        const found = text === '' ? 'an empty cell' : `"${text}"`;
        throw badData(
          `expected a number in ${names[column]}, found ${found}`,
          column === label
            ? 'Correct it: the label is a number, unless there are `classes`.'
            : isMissing(text)
              ? 'Fill in a number, or say in `missing` what it stands for.'
              : Number.isFinite(exact)
                ? 'Correct it, or choose another `scale`: it does not fit into float32.'
                : decimal === '.' && !Number.isNaN(numberIn(text, ','))
                  ? "If its comma stands before decimals, say decimal: ','."
                  : `Correct it, or list the words of the column in \`categories\`.${hint(text)}`,
          { ...place, column: names[column], found: text },
        );
      };
      const inputsOf = (column: number): number[] => {
        const text = cells[column]!.trim();
        const words = categories.get(column);
        const instead = missing.get(column);
        if (words === undefined) {
          if (instead !== undefined && isMissing(text)) return [instead as number];
          return [number(column, scale)];
        }
        // A word that is listed is one, whatever else it may mean.
        const word = words.includes(text) || !isMissing(text) ? text : (instead ?? text);
        if (words.includes(word as string)) return words.map((each) => (each === word ? 1 : 0));
        throw badData(
          `"${text}" in ${names[column]} is not one of ${words.join(', ')}`,
          isMissing(text)
            ? 'Add it to `categories`, or say in `missing` which word it stands for.'
            : `Correct it, or add it to \`categories\`.${hint(text)}`,
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
          `Correct the label, or add it to \`classes\`.${hint(text)}`,
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

    notices: () => [
      ...nameless(file, header, inputs),
      ...rounded.notices(
        file,
        'If they name something, number that anew from 0; else it may not matter.',
      ),
    ],
  };
}

/** A column that numbers the rows has no name where pandas or R wrote it. */
function nameless(
  file: string,
  header: readonly string[] | number,
  inputs: readonly number[],
): Notice[] {
  const column = inputs.find((at) => typeof header !== 'number' && header[at]!.trim() === '');
  if (column === undefined) return [];
  return [
    {
      message: `${file}: column ${column} has no name and was read as an input`,
      remedy: 'If it numbers the rows, leave it out: name those that are meant in `columns`.',
    },
  ];
}

/** Where a text was read in the wrong way, this is what became of its letters. */
const hint = (text: string) =>
  text.includes('\uFFFD') ? ' The file is not UTF-8: save it anew as that.' : '';

/** Programs run without a check of their types. @throws TuttiError BAD_PROGRAM */
function checkOptions({ classes, categories = {}, scale }: CsvSchema): void {
  if (scale !== undefined && !Number.isFinite(scale))
    throw bad(`scale of csv() is ${scale}`, 'Give a number.');
  if (typeof classes === 'number' && !(Number.isSafeInteger(classes) && classes > 0))
    throw bad(`classes of csv() is ${classes}`, 'Give their number, or their names.');
  const lists = Object.entries(categories).map(([name, words]): [string, unknown] => [
    `categories.${name}`,
    words,
  ]);
  if (typeof classes !== 'number' && classes !== undefined) lists.push(['classes', classes]);
  for (const [option, words] of lists) {
    if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
      throw bad(`${option} of csv() is ${JSON.stringify(words)}`, 'Give a list of words.');
    const twice = words.find((word, at) => words.indexOf(word) !== at);
    if (twice !== undefined)
      throw bad(`${option} of csv() lists "${twice}" twice`, 'List each word once.');
  }
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
