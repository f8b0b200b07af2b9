import { showValue } from '@tutti/runtime';
import { badOption, checkNumbers } from '../../contract/options.js';

/** What the columns of a table mean: of a CSV file, or of one of another format. */
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

/** The keys of what columns mean, for readers of tables of all kinds. */
export const SCHEMA_KEYS: Readonly<Record<keyof CsvSchema, true>> = {
  label: true,
  columns: true,
  classes: true,
  categories: true,
  missing: true,
  scale: true,
  shape: true,
};

/**
 * Programs run without a check of their types.
 * @param reader what was given it
 * @throws TuttiError BAD_PROGRAM
 */
export function checkSchema(
  reader: string,
  { classes, categories = {}, columns, scale, shape }: CsvSchema,
): void {
  const names = typeof classes === 'number' ? undefined : classes;
  checkNumbers(`${reader}()`, { scale, shape, ...(names === undefined && { classes }) });
  if (columns !== undefined && !Array.isArray(columns))
    throw badOption(
      `columns of ${reader}() is ${showValue(columns)}`,
      'Give a list of names or positions.',
    );
  const lists = Object.entries(categories).map(([name, words]): [string, unknown] => [
    `categories.${name}`,
    words,
  ]);
  if (names !== undefined) lists.push(['classes', names]);
  for (const [option, words] of lists) {
    if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
      throw badOption(
        `${option} of ${reader}() is ${JSON.stringify(words)}`,
        'Give a list of words.',
      );
    const twice = words.find((word, at) => words.indexOf(word) !== at);
    if (twice !== undefined)
      throw badOption(`${option} of ${reader}() lists "${twice}" twice`, 'List each word once.');
  }
}
