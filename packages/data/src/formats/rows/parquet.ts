import { checkKeys } from '@tutti/runtime';
import type { Compressors } from 'hyparquet';
import { badData, fileError } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { recordsDataset } from './records.js';
import { type CsvSchema, checkSchema, SCHEMA_KEYS } from './schema.js';

/** @see CsvSchema */
export type ParquetOptions = CsvSchema;

/**
 * A data set in an Apache Parquet file, with any of its compressions. Its columns mean what those of a
 * CSV file do; a list of numbers is as many inputs. The columns that are used are held in memory.
 *
 * @example await parquet('flats.parquet', { label: 'rent', columns: ['rooms', 'size'] })
 * @throws TuttiError BAD_DATA with file, row and column, as `csv`; also for what is no Parquet file
 */
export async function parquet(file: string, options: ParquetOptions = {}): Promise<Dataset> {
  checkKeys('parquet', options, SCHEMA_KEYS);
  checkSchema('parquet', options);
  // Whoever reads no such file does not load them.
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } =
    await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  try {
    const bytes = await asyncBufferFromFile(file);
    const metadata = await parquetMetadataAsync(bytes);
    const all = parquetSchema(metadata).children.map(({ element }) => element.name);
    const { columns, label } = options;
    const wanted = columns && label !== undefined ? [...columns, label] : columns;
    // A position, or the name of a part of a list, is found among all.
    const read = wanted?.every((column) => all.includes(column as string))
      ? all.filter((name) => wanted.includes(name))
      : all;
    const twice = read.find((name, at) => read.indexOf(name) !== at);
    if (twice !== undefined)
      throw badData(`has several columns ${twice}`, 'Give each a name of its own.', { file });
    const rows = await parquetReadObjects({
      file: bytes,
      metadata,
      columns: read,
      compressors: withEmptyPages(compressors),
    });
    const values = rows.map((row) => read.map((name) => row[name] as unknown));
    return recordsDataset({ file, names: read, rows: values }, options);
  } catch (thrown) {
    throw parquetError(thrown, file);
  }
}

/** A page without a value, as of a column of nulls, is nothing that LZ4 could read. */
function withEmptyPages(compressors: Compressors): Compressors {
  return Object.fromEntries(
    Object.entries(compressors).map(([codec, decompress]) => [
      codec,
      (input: Uint8Array, length: number) =>
        length === 0 ? new Uint8Array() : decompress(input, length),
    ]),
  );
}

function parquetError(thrown: unknown, file: string): unknown {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code !== undefined) return fileError(thrown, file);
  return badData(
    `is no Parquet file that can be read (${message})`,
    'Give a file as pandas.to_parquet writes it; if it is one, it is damaged: fetch it again.',
    { file, cause: thrown },
  );
}
