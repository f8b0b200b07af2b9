import { checkKeys } from '@tutti/runtime';
import type { DataType, Vector } from 'apache-arrow';
import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { openSource } from '../../files/source.js';
import { recordsDataset } from './records.js';
import { type CsvSchema, checkSchema, SCHEMA_KEYS } from './schema.js';

/** @see CsvSchema */
export type ArrowOptions = CsvSchema;

const FILE_MAGIC = Buffer.from('ARROW1');
const STREAM_END = Buffer.from('ffffffff00000000', 'hex');

/**
 * A data set in an Apache Arrow file (Feather version 2) or stream, without compression. Its columns mean
 * what those of a CSV file do; a list of numbers is as many inputs. The file is held in memory.
 *
 * @example await arrow('flats.arrow', { label: 'rent' })
 * @throws TuttiError BAD_DATA with file, row and column, as `csv`; also for what is no Arrow file, and for
 * a stream without its end
 */
export async function arrow(file: string, options: ArrowOptions = {}): Promise<Dataset> {
  checkKeys('arrow', options, SCHEMA_KEYS);
  checkSchema('arrow', options);
  const source = await openSource(file, { memoryLimitBytes: Number.POSITIVE_INFINITY });
  const bytes = source.bytes!;
  await source.close();
  // Whoever reads no such file does not load it.
  const { tableFromIPC, DataType } = await import('apache-arrow');
  const valuesOf = createValues(DataType);
  let columns: (readonly [name: string, values: unknown[]])[];
  try {
    const table = tableFromIPC(bytes);
    columns = table.schema.fields.map(({ name }, at) => [name, valuesOf(table.getChildAt(at)!)]);
  } catch (cause) {
    throw badData(
      `is no Arrow file that can be read (${(cause as Error).message})`,
      'Give a file as pandas.to_feather(file, compression="uncompressed") writes it; if it is one, it is damaged.',
      { file, cause },
    );
  }
  checkEnd(bytes, file);
  const names = columns.map(([name]) => name);
  const count = columns[0]?.[1].length ?? 0;
  const rows = Array.from({ length: count }, (_, at) => columns.map(([, values]) => values[at]));
  return recordsDataset({ file, names, rows }, options);
}

/** A stream that was cut between two of its batches, or in one, is read as a shorter one. */
function checkEnd(bytes: Uint8Array, file: string): void {
  const isFile = Buffer.from(bytes.subarray(0, 6)).equals(FILE_MAGIC);
  if (isFile || Buffer.from(bytes.subarray(-8)).equals(STREAM_END)) return;
  throw badData(
    'is an Arrow stream without the mark of its end',
    'It is truncated, or was never closed: write it again.',
    { file, offset: bytes.length },
  );
}

/** Makes the values of a vector those of a JSON file: numbers, text, dates, lists. */
function createValues(is: typeof DataType) {
  const valuesOf = (vector: Vector): unknown[] => {
    const convert = conversionOf(vector.type);
    // What is not valid is null, which only the iterator of a vector knows.
    return Array.from(vector, (value) => (value === null ? null : convert(value)));
  };
  const conversionOf = (type: DataType): ((value: unknown) => unknown) => {
    if (is.isList(type) || is.isLargeList(type) || is.isFixedSizeList(type))
      return (vector) => valuesOf(vector as Vector);
    if (is.isDictionary(type)) return conversionOf(type.dictionary);
    if (is.isDecimal(type)) return (words) => decimalOf(words as Uint32Array, type.scale);
    if (is.isDate(type) || is.isTimestamp(type)) return (ms) => new Date(ms as number);
    // Words that mean something together only.
    return is.isInterval(type) ? String : (value) => value;
  };
  return valuesOf;
}

/** @param words the least significant first, of a number in two's complement */
function decimalOf(words: Uint32Array, scale: number): number {
  const bits = words.reduceRight((high, word) => (high << 32n) | BigInt(word), 0n);
  return Number(`${BigInt.asIntN(32 * words.length, bits)}e${-scale}`);
}
