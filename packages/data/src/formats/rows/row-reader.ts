import { badData } from '../../contract/bad-data.js';
import type { Batch, Field, Notice } from '../../contract/dataset.js';
import { createRoundedIntegers } from '../../memory/rounded-integers.js';
import { resolveColumns } from './columns.js';
import { isMissing } from './missing-cells.js';
import type { CsvSchema } from './schema.js';

/** Turns the cells of a row into numbers. */
export interface RowReader {
  /** Whether it looks at the cells of a column, by position. */
  uses(column: number): boolean;
  /** @throws TuttiError BAD_DATA naming file, line or offset, and column */
  read(cells: readonly string[], line?: number, offset?: number): { x: number[]; y: number };
  /** Makes a batch of the inputs of all rows, one after the other, and of their labels. */
  fields(xs: ArrayLike<number>, ys: ArrayLike<number>): Batch;
  /** What is to be said of the rows read so far. */
  notices(): Notice[];
}

interface Row {
  readonly cells: readonly string[];
  /** For errors. */
  readonly place: { readonly file: string; readonly line?: number; readonly offset?: number };
}

/** NaN for what is no number. With a decimal comma, points may part thousands. */
export function numberIn(text: string, decimal: '.' | ','): number {
  if (text === '') return Number.NaN;
  if (decimal === '.') return Number(text);
  const whole = /^[+-]?\d{1,3}(\.\d{3})+(,|$)/.test(text) ? text.replaceAll('.', '') : text;
  return whole.includes('.') ? Number.NaN : Number(whole.replace(',', '.'));
}

/**
 * @param header the names of the columns, or only their number
 * @throws TuttiError as `resolveColumns`
 */
export function createRowReader(
  file: string,
  header: readonly string[] | number,
  schema: CsvSchema & { readonly decimal?: '.' | ',' | undefined },
): RowReader {
  const { decimal = '.', classes, scale } = schema;
  const { names, label, inputs, categories, missing, shape } = resolveColumns(file, header, schema);
  const classOf =
    typeof classes === 'object' ? new Map(classes.map((name, i) => [name, i])) : undefined;
  const rounded = createRoundedIntegers();

  function numberOf({ cells, place }: Row, column: number, factor = 1): number {
    const text = cells[column]!.trim();
    const exact = numberIn(text, decimal);
    const stored = Math.fround(exact);
    const value = Math.fround(stored * factor);
    if (Number.isFinite(value)) {
      if (stored !== exact) rounded.see(exact, () => `${names[column]} of line ${place.line}`);
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
            : decimal === '.' && Number.isFinite(numberIn(text, ','))
              ? "If its comma stands before decimals, say decimal: ','."
              : `Correct it, or list the words of the column in \`categories\`.${hint(text)}`,
      { ...place, column: names[column], found: text },
    );
  }

  function inputsOf(row: Row, column: number): number[] {
    const { cells, place } = row;
    const text = cells[column]!.trim();
    const words = categories.get(column);
    const instead = missing.get(column);
    if (words === undefined) {
      if (instead !== undefined && isMissing(text)) return [instead as number];
      return [numberOf(row, column, scale)];
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
  }

  function labelOf(row: Row, column: number): number {
    if (classes === undefined) return numberOf(row, column);
    const { cells, place } = row;
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
  }

  const labelAmongInputs =
    label === undefined || !inputs.includes(label)
      ? []
      : [
          {
            message: `${file}: the label, ${names[label]}, is an input, too`,
            remedy: 'Leave it out of `columns`, unless that is meant.',
          },
        ];
  const used = new Set(label === undefined ? inputs : [...inputs, label]);

  return {
    uses: (column) => used.has(column),

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
      const row = { cells, place };
      const x = inputs.flatMap((column) => inputsOf(row, column));
      return { x, y: label === undefined ? 0 : labelOf(row, label) };
    },

    fields(xs, ys) {
      const x: Field = { data: Float32Array.from(xs), shape: [ys.length, ...shape] };
      if (label === undefined) return { x };
      const y = classes === undefined ? Float32Array.from(ys) : Int32Array.from(ys);
      return { x, y: { data: y, shape: [ys.length] } };
    },

    notices: () => [
      ...nameless(file, header, inputs),
      ...labelAmongInputs,
      ...rounded.notices(
        file,
        'If they name something, number that anew from 0; else it may not matter.',
      ),
    ],
  };
}

/** So pandas and R write a column that numbers the rows. */
const NAMELESS = /^(__index_level_\d+__)?$/;

function nameless(
  file: string,
  header: readonly string[] | number,
  inputs: readonly number[],
): Notice[] {
  if (typeof header === 'number') return [];
  const column = inputs.find((at) => NAMELESS.test(header[at]!.trim()));
  if (column === undefined) return [];
  return [
    {
      message: `${file}: column ${header[column]!.trim() || column} has no name and was read as an input`,
      remedy: 'If it numbers the rows, leave it out: name those that are meant in `columns`.',
    },
  ];
}

/** Where a text was read in the wrong way, this is what became of its letters. */
const hint = (text: string) =>
  text.includes('\uFFFD') ? ' The file is not UTF-8: save it anew as that.' : '';
