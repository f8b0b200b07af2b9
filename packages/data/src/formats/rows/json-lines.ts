import { checkKeys } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { readText } from '../../files/read-text.js';
import { recordsDataset } from './records.js';
import { type CsvSchema, checkSchema, SCHEMA_KEYS } from './schema.js';

/** @see CsvSchema */
export type JsonLinesOptions = CsvSchema;

/**
 * A data set in a file with one JSON object a line (JSON Lines, NDJSON), plain or gzip. Its keys are
 * columns, as of a CSV file; a list of numbers is as many inputs. The file is held in memory.
 *
 * @example await jsonLines('visits.jsonl', { label: 'bought', classes: 2, missing: { age: 40 } })
 * @throws TuttiError BAD_DATA with file, line and column, as `csv`; also for a line that is no object, or
 * has a key that the first does not have
 */
export async function jsonLines(file: string, options: JsonLinesOptions = {}): Promise<Dataset> {
  checkKeys('jsonLines', options, SCHEMA_KEYS);
  checkSchema('jsonLines', options);
  const text = await readText(file);
  let names: readonly string[] | undefined;
  const [rows, lines]: [unknown[][], number[]] = [[], []];
  text.split(/\r\n|\n|\r/).forEach((line, at) => {
    if (line.trim() === '') return;
    const record = objectOf(line, file, at + 1);
    names ??= Object.keys(record);
    const unknown = Object.keys(record).find((name) => !names!.includes(name));
    if (unknown !== undefined)
      throw badData(
        `has ${JSON.stringify(unknown)}, which the first line does not have`,
        'Give the first line all keys; null stands for a value that is missing.',
        { file, line: at + 1, column: unknown },
      );
    rows.push(names.map((name) => (Object.hasOwn(record, name) ? record[name] : undefined)));
    lines.push(at + 1);
  });
  checkPositions(file, names ?? [], options);
  return recordsDataset({ file, names: names ?? [], rows, lines }, options);
}

/** JavaScript has keys such as "0" before all others, whatever the file says. */
function checkPositions(file: string, names: readonly string[], schema: CsvSchema): void {
  const { label, columns = [] } = schema;
  const position = [label, ...columns].find((column) => typeof column === 'number');
  const numbered = names.find((name) => /^(0|[1-9]\d*)$/.test(name));
  if (position === undefined || numbered === undefined) return;
  throw badData(
    `column ${position} cannot be found by its position, since keys are numbers, such as "${numbered}"`,
    'Name it, as a text.',
    { file, column: position },
  );
}

function objectOf(text: string, file: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badData(
      `is no JSON: ${(cause as Error).message}`,
      'Write one object a line, without commas between the lines.',
      { file, line, cause },
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw badData(
    `is ${Array.isArray(value) ? 'a list' : JSON.stringify(value)}, not an object`,
    'Write one object a line: {"size": 3, "rent": 1200}.',
    { file, line },
  );
}
