import { Readable } from 'node:stream';
import { type InfoRecord, type Options, parse } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import { arrays } from './arrays.js';
import { badData } from './bad-data.js';
import { type CsvSchema, createRowReader, type RowReader } from './csv-rows.js';
import type { Dataset } from './dataset.js';
import { checkIndices } from './indices.js';
import { createNumberList, type NumberList } from './number-list.js';
import { openSource, type Source, type SourceOptions } from './source.js';

export interface CsvOptions extends CsvSchema, SourceOptions {
  /** Whether the first line names the columns. Default true. */
  readonly header?: boolean | undefined;
  /** Default ','. */
  readonly delimiter?: string | undefined;
}

interface ParsedRow {
  readonly record: string[];
  readonly info: InfoRecord;
}

/**
 * A data set in a file of comma-separated values (RFC 4180), plain or gzip: the input columns become
 * field `x`, the label column field `y`.
 *
 * The file is parsed once on opening and every cell checked. Up to `memoryLimitBytes` its numbers
 * stay in memory; of a larger one only the byte offset of every row does, and rows are read again
 * where they lie.
 *
 * @example await csv('iris.csv', { label: 'species', classes: ['setosa', 'versicolor', 'virginica'] })
 * @throws TuttiError BAD_DATA with file and line: missing file, ragged row, a cell that is no number,
 * a label outside `classes`, an unknown column
 */
export async function csv(file: string, options: CsvOptions = {}): Promise<Dataset> {
  const source = await openSource(file, options);
  try {
    return await load(source, options);
  } catch (thrown) {
    await source.close();
    throw thrown;
  }
}

async function load(source: Source, options: CsvOptions): Promise<Dataset> {
  const { file } = source;
  const { header = true } = options;
  const dialect: Options = {
    delimiter: options.delimiter ?? ',',
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
  let before = 0;
  for await (const { record, info } of rowsOf(source, dialect)) {
    const first = reader === undefined;
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
  }
  if (reader === undefined || offsets.length === 0) {
    throw badData('has no rows', 'Give a file with at least one example.', { file, line: 1 });
  }
  offsets.push(before);
  if (!inMemory) return streamed(source, dialect, offsets, reader);
  await source.close();
  const { read } = arrays(reader.fields(xs.values(), ys.values()));
  const size = ys.length;
  return {
    size,
    async read(indices) {
      checkIndices(indices, size, file);
      return read(indices);
    },
  };
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
          const bytes = new Uint8Array(offsets.at(index + 1) - start);
          await source.readInto(bytes, start);
          return bytes;
        }),
      );
      const xs: number[] = [];
      const ys: number[] = [];
      for (const [i, row] of rows.entries()) {
        const offset = offsets.at(indices[i]!);
        const [record, ...more] = parseSync(row, dialect) as string[][];
        if (record === undefined || more.length > 0) {
          throw badData(
            `expected the row of example ${indices[i]}, found ${more.length === 0 ? 'none' : 'several'}`,
            'The file has changed since it was opened: start again.',
            { file, offset },
          );
        }
        const { x, y } = reader.read(record, undefined, offset);
        for (const value of x) xs.push(value);
        ys.push(y);
      }
      return reader.fields(xs, ys);
    },
    close: () => source.close(),
  };
}

async function* rowsOf(source: Source, dialect: Options): AsyncGenerator<ParsedRow> {
  const parser = Readable.from(chunksOf(source)).compose<NodeJS.ReadableStream>(
    parse({ ...dialect, info: true }),
  );
  try {
    for await (const row of parser) yield row as unknown as ParsedRow;
  } catch (thrown) {
    const { code, lines } = thrown as { code?: string; lines?: number };
    if (!code?.startsWith('CSV_')) throw thrown;
    throw badData(
      `is not comma-separated values: ${(thrown as Error).message}`,
      'Mend the line; a quote inside a quoted cell is written twice.',
      { file: source.file, ...(lines === undefined ? {} : { line: lines }), cause: thrown },
    );
  }
}

async function* chunksOf(source: Source): AsyncGenerator<Uint8Array> {
  const run = 2 ** 20;
  for (let at = 0; at < source.size; at += run) {
    const chunk = Buffer.alloc(Math.min(run, source.size - at));
    await source.readInto(chunk, at);
    yield chunk;
  }
}
