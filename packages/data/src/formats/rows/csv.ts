import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { byteOrderMark, checkKeys, showValue, textOf } from '@tutti/runtime';
import { CsvError, type InfoRecord, type Options, parse } from 'csv-parse';
import { CsvError as CsvSyncError, parse as parseSync } from 'csv-parse/sync';
import { badData } from '../../contract/bad-data.js';
import type { Dataset, Notice } from '../../contract/dataset.js';
import { checkIndices } from '../../contract/indices.js';
import { badOption } from '../../contract/options.js';
import { createNumberList, type NumberList } from '../../files/number-list.js';
import {
  memorySource,
  openSource,
  SOURCE_KEYS,
  type Source,
  type SourceOptions,
} from '../../files/source.js';
import { createRowReader, numberIn, type RowReader } from './row-reader.js';
import { rowOf, rowsInMemory } from './rows-in-memory.js';
import { type CsvSchema, checkSchema, SCHEMA_KEYS } from './schema.js';

export interface CsvOptions extends CsvSchema, SourceOptions {
  /** Whether the first line names the columns. Default true. */
  readonly header?: boolean | undefined;
  /**
   * Default: a semicolon or a tab, where the first line has such and no comma; else ','. Where commas stand
   * before decimals: a semicolon or a tab, where the first line has such; else ',', or ';' where it has none.
   */
  readonly delimiter?: string | undefined;
  /** What stands before the decimals, as spreadsheets of many countries have it. Default '.'. */
  readonly decimal?: '.' | ',' | undefined;
}

const KNOWN: Readonly<Record<keyof CsvOptions, true>> = {
  header: true,
  delimiter: true,
  decimal: true,
  ...SCHEMA_KEYS,
  ...SOURCE_KEYS,
};

/**
 * A data set in a file of comma-separated values (RFC 4180), plain or gzip: the input columns become
 * field `x`, the label column field `y`. Blank lines are passed over. The file is UTF-8, or UTF-16 with
 * its byte-order mark, which is held in memory.
 *
 * The file is parsed once on opening and every cell checked. Up to `memoryLimitBytes` its numbers
 * stay in memory; of a larger one only the byte offset of every row does, and rows are read again
 * where they lie.
 *
 * @example await csv('iris.csv', { label: 'species', classes: ['setosa', 'versicolor', 'virginica'] })
 * @example await csv('flats.csv', { label: 'rent', categories: { city: ['Bern', 'Basel'] }, missing: { rooms: 3 } })
 * @throws TuttiError BAD_DATA with file and line: missing file, ragged row, a cell that is no number,
 * a label outside `classes`, a word outside `categories`, an unknown column, a quote out of place;
 * BAD_PROGRAM for options that make no sense
 */
export async function csv(file: string, options: CsvOptions = {}): Promise<Dataset> {
  checkKeys('csv', options, KNOWN);
  checkSchema('csv', options);
  const { decimal = '.', delimiter } = options;
  if (decimal !== '.' && decimal !== ',')
    throw badOption(`decimal is ${JSON.stringify(decimal)}`, "Give '.' or ','.");
  if (delimiter !== undefined && (typeof delimiter !== 'string' || delimiter === ''))
    throw badOption(`delimiter is ${showValue(delimiter)}`, "Give a character, such as '|'.");
  const source = await openText(file, options);
  try {
    return await load(source, options);
  } catch (thrown) {
    await source.close();
    throw thrown;
  }
}

/** The file as UTF-8. */
async function openText(file: string, options: SourceOptions): Promise<Source> {
  const source = await openSource(file, options);
  const { encoding = 'utf-8' } = (await markOf(source)) ?? {};
  if (encoding === 'utf-8') return source;
  const bytes = source.bytes ?? Buffer.alloc(source.size);
  try {
    if (source.bytes === undefined) await source.readInto(bytes, 0);
  } finally {
    await source.close();
  }
  return memorySource(file, Buffer.from(textOf(bytes)));
}

async function load(source: Source, options: CsvOptions): Promise<Dataset> {
  const { file } = source;
  const { header = true } = options;
  const dialect: Options = {
    delimiter: options.delimiter ?? (await delimiterOf(source, options)),
    record_delimiter: ['\r\n', '\n', '\r'],
    bom: true,
    skip_empty_lines: true,
    relax_column_count: true,
  };
  // Row i lies between offsets i and i + 1.
  const offsets = createNumberList(Float64Array);
  const inMemory = source.bytes !== undefined;
  const xs = createNumberList(Float32Array);
  const ys = createNumberList(Float32Array);
  let reader: RowReader | undefined;
  // A byte-order mark belongs to no row.
  let before = (await markOf(source))?.length ?? 0;
  const notices: Notice[] = [];
  let blank = 0;
  await forEachRow(source, dialect, (record, info) => {
    const first = reader === undefined;
    if (first) notices.push(...aboutFirstRow(file, options, record));
    blank = info.empty_lines;
    reader ??= createRowReader(file, header ? record : record.length, options);
    if (!(first && header)) {
      offsets.push(before);
      const { x, y } = reader.read(record, info.lines);
      if (inMemory) {
        for (const value of x) xs.push(value);
        ys.push(y);
      }
    }
    before = info.bytes;
  });
  if (reader === undefined || offsets.length === 0) {
    const [what, remedy] =
      reader === undefined || notices.length === 0
        ? ['has no rows', 'Give a file with at least one example.']
        : ['has no row but the first, which holds numbers only', 'Say `header: false`.'];
    throw badData(what, remedy, { file, line: 1 });
  }
  offsets.push(before);
  if (blank > 0)
    notices.push({
      message: `${file}: ${blank} blank line${blank === 1 ? ' was' : 's were'} passed over between the rows`,
      remedy: 'A value that is missing wants a cell that says so, such as NA, and `missing`.',
    });
  notices.push(...reader.notices());
  if (!inMemory)
    return { ...streamed(source, dialect, offsets, reader), notices, origin: rowOf(file) };
  await source.close();
  return rowsInMemory(file, ys.length, reader.fields(xs.values(), ys.values()), notices);
}

/** A first row of numbers is likely to be an example that is passed over. */
function aboutFirstRow(
  file: string,
  { header = true, decimal = '.' }: CsvOptions,
  cells: readonly string[],
): Notice[] {
  if (!header || cells.some((cell) => Number.isNaN(numberIn(cell.trim(), decimal)))) return [];
  const some = cells.slice(0, 3).join(', ');
  return [
    {
      message: `${file}: the first line was read as the names of the columns, but holds numbers only (${some}${cells.length > 3 ? ', …' : ''})`,
      remedy: 'If it is an example, say `header: false`.',
    },
  ];
}

function streamed(
  source: Source,
  dialect: Options,
  offsets: NumberList<Float64Array>,
  reader: RowReader,
): Dataset {
  const { file } = source;
  const size = offsets.length - 1;
  return {
    size,
    async read(indices) {
      checkIndices(indices, size, file);
      const rows = await Promise.all(
        Array.from(indices, async (index) => {
          const start = offsets.at(index);
          const row = Buffer.alloc(offsets.at(index + 1) - start + 1, '\n');
          await source.readInto(row.subarray(0, -1), start);
          return row;
        }),
      );
      // Parsed in one go: starting the parser costs as much as a wide row.
      let records: string[][];
      try {
        records = parseSync(Buffer.concat(rows), dialect);
      } catch (thrown) {
        throw syntaxError(thrown, file);
      }
      if (records.length !== rows.length) {
        throw badData(
          `expected ${rows.length} rows, found ${records.length}`,
          'The file has changed since it was opened: start again.',
          { file, offset: offsets.at(indices[0]!), expected: rows.length, found: records.length },
        );
      }
      const xs: number[] = [];
      const ys: number[] = [];
      for (const [i, record] of records.entries()) {
        const { x, y } = reader.read(record, undefined, offsets.at(indices[i]!));
        for (const value of x) xs.push(value);
        ys.push(y);
      }
      return reader.fields(xs, ys);
    },
    close: () => source.close(),
  };
}

async function forEachRow(
  source: Source,
  dialect: Options,
  visit: (cells: string[], info: InfoRecord) => void,
): Promise<void> {
  const parser = parse({
    ...dialect,
    // Nothing is passed on: an object stream would take most of the time.
    on_record(cells: string[], info) {
      visit(cells, info);
      return null;
    },
  });
  try {
    await pipeline(Readable.from(chunksOf(source)), parser.resume());
  } catch (thrown) {
    throw syntaxError(thrown, source.file);
  }
}

function syntaxError(thrown: unknown, file: string): unknown {
  if (!(thrown instanceof CsvError || thrown instanceof CsvSyncError)) return thrown;
  const { code, lines, message } = thrown as CsvError & { readonly lines?: number };
  return badData(
    `is not comma-separated values: ${message}`,
    code === 'INVALID_OPENING_QUOTE'
      ? 'Mend the line: a cell in quotes begins and ends with one, without spaces around it.'
      : 'Mend the line; a quote inside a quoted cell is written twice.',
    { file, ...(lines === undefined ? {} : { line: lines }), cause: thrown },
  );
}

/** That of the first line, without what is in quotes. */
async function delimiterOf(source: Source, { decimal, header }: CsvOptions): Promise<string> {
  const start = Buffer.alloc(Math.min(4096, source.size));
  await source.readInto(start, 0);
  const [line = ''] = start
    .toString('utf8')
    .replace(/"[^"]*"/g, '')
    .split(/\r|\n/);
  const comma = line.includes(',');
  const other = [';', '\t'].find((each) => line.includes(each));
  if (decimal !== ',') return comma ? ',' : (other ?? ',');
  if (other !== undefined) return other;
  if (header === false && /\d,\d/.test(line))
    throw badData(
      'its commas may stand before decimals, or between cells',
      "Say which by `delimiter`: ';' for the first, ',' for the second.",
      { file: source.file, line: 1 },
    );
  return comma ? ',' : ';';
}

async function markOf(source: Source) {
  const start = Buffer.alloc(Math.min(3, source.size));
  await source.readInto(start, 0);
  return byteOrderMark(start);
}

async function* chunksOf(source: Source): AsyncGenerator<Uint8Array> {
  const run = 2 ** 20;
  for (let at = 0; at < source.size; at += run) {
    const chunk = Buffer.alloc(Math.min(run, source.size - at));
    await source.readInto(chunk, at);
    yield chunk;
  }
}
