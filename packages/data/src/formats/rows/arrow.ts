import { checkKeys } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { openSource } from '../../files/source.js';
import { recordsDataset } from './records.js';
import { type CsvSchema, checkSchema, SCHEMA_KEYS } from './schema.js';

/** @see CsvSchema */
export type ArrowOptions = CsvSchema;

/**
 * A data set in an Apache Arrow file (Feather version 2) or stream, without compression. Its columns mean
 * what those of a CSV file do; a list of numbers is as many inputs. The file is held in memory.
 *
 * @example await arrow('flats.arrow', { label: 'rent' })
 * @throws TuttiError BAD_DATA with file, row and column, as `csv`; also for what is no Arrow file
 */
export async function arrow(file: string, options: ArrowOptions = {}): Promise<Dataset> {
  checkKeys('arrow', options, SCHEMA_KEYS);
  checkSchema('arrow', options);
  const source = await openSource(file, { memoryLimitBytes: Number.POSITIVE_INFINITY });
  // Whoever reads no such file does not load it.
  const { tableFromIPC } = await import('apache-arrow');
  let columns: (readonly [name: string, values: unknown[]])[];
  try {
    const table = tableFromIPC(source.bytes!);
    columns = table.schema.fields.map(({ name }, at) => [
      name,
      [...table.getChildAt(at)!].map(plain),
    ]);
  } catch (cause) {
    throw badData(
      `is no Arrow file that can be read (${(cause as Error).message})`,
      'Give a file as pandas.to_feather(file, compression="uncompressed") writes it; if it is one, it is damaged.',
      { file, cause },
    );
  } finally {
    await source.close();
  }
  const names = columns.map(([name]) => name);
  const count = columns[0]?.[1].length ?? 0;
  const rows = Array.from({ length: count }, (_, at) => columns.map(([, values]) => values[at]));
  return recordsDataset({ file, names, rows }, options);
}

/** A list in a cell is a vector of its own. */
function plain(value: unknown): unknown {
  const vector = value as { toArray?: () => unknown } | null;
  return typeof vector?.toArray === 'function' ? vector.toArray() : value;
}
