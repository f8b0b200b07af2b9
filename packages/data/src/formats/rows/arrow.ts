import { checkKeys } from '@tutti/runtime';
import type { DataType, MessageReader, Vector } from 'apache-arrow';
import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { openSource } from '../../files/source.js';
import { recordsDataset } from './records.js';
import { type CsvSchema, checkSchema, SCHEMA_KEYS } from './schema.js';

/** @see CsvSchema */
export type ArrowOptions = CsvSchema;

const FILE_MAGIC = Buffer.from('ARROW1');
/** The magic and two bytes to fill up: what follows is a stream, and after it the footer. */
const FILE_START = 8;
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
  checkEnd(bytes, file);
  // Whoever reads no such file does not load it.
  const { tableFromIPC, DataType, MessageReader } = await import('apache-arrow');
  const valuesOf = createValues(DataType);
  let columns: (readonly [name: string, values: unknown[]])[];
  try {
    checkLengths(bytes, MessageReader);
    const table = tableFromIPC(bytes);
    columns = table.schema.fields.map(({ name }, at) => [name, valuesOf(table.getChildAt(at)!)]);
  } catch (cause) {
    throw badData(
      `is no Arrow file that can be read (${(cause as Error).message})`,
      'Give a file as pandas.to_feather(file, compression="uncompressed") writes it; if it is one, it is damaged.',
      { file, cause },
    );
  }
  const names = columns.map(([name]) => name);
  const count = columns[0]?.[1].length ?? 0;
  const rows = Array.from({ length: count }, (_, at) => columns.map(([, values]) => values[at]));
  return recordsDataset({ file, names, rows }, options);
}

const isFile = (bytes: Uint8Array) => FILE_MAGIC.equals(bytes.subarray(0, FILE_MAGIC.length));

/** A stream that was cut is read as a shorter one, and a file whose end is damaged as it may be, or never. */
function checkEnd(bytes: Uint8Array, file: string): void {
  const end = isFile(bytes) ? FILE_MAGIC : STREAM_END;
  if (end.equals(bytes.subarray(-end.length))) return;
  throw badData(
    `is no Arrow file that can be read (it does not end as ${isFile(bytes) ? 'a file' : 'a stream'} does)`,
    'Write it again: it is truncated or damaged, or was never closed.',
    { file, offset: bytes.length },
  );
}

/**
 * The library goes through as many values as a damaged file says, be they 2^40. None takes less than a bit.
 * @throws Error
 */
function checkLengths(bytes: Uint8Array, Reader: typeof MessageReader): void {
  const messages = new Reader(messagesIn(bytes));
  for (const message of messages) {
    const header: unknown = message.header();
    const { length, nodes } = ((header as { data?: unknown }).data ??
      header) as Partial<BatchHeader>;
    for (const count of [length ?? 0, ...(nodes ?? []).map((node) => node.length)])
      if (!(count >= 0 && count <= 8 * bytes.length))
        throw new Error(`${count} values in ${bytes.length} bytes`);
    messages.readMessageBody(message.bodyLength);
  }
}

/** What of a file is a stream, too, but for its end: between its magic and its footer. Polars writes none. */
function messagesIn(bytes: Uint8Array): Uint8Array {
  if (!isFile(bytes)) return bytes;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const beforeEnd = bytes.length - FILE_MAGIC.length - 4;
  if (beforeEnd < FILE_START || file.readInt32LE(FILE_START) !== -1) return new Uint8Array();
  return bytes.subarray(FILE_START, beforeEnd - file.readInt32LE(beforeEnd));
}

/** What a batch of rows, or of the words of a dictionary, says of itself. */
interface BatchHeader {
  readonly length: number;
  readonly nodes: readonly { readonly length: number }[];
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
