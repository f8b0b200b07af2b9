import checksums from '@node-rs/crc32';
import { maskedChecksum } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import { createNumberList } from '../../files/number-list.js';
import { openSource, type Source, type SourceOptions } from '../../files/source.js';

/** The records of one TFRecord file, by their number. */
export interface TfrecordFile {
  readonly file: string;
  readonly size: number;
  /**
   * The bytes of a record and where they start.
   * @throws TuttiError BAD_DATA if their checksum is wrong
   */
  read(index: number): Promise<{ bytes: Uint8Array; offset: number }>;
  close(): Promise<void>;
}

/** Length (8 bytes) and its checksum (4) before a record, its own checksum (4) after it. */
const BEFORE = 12;
const AFTER = 4;

/**
 * Opens a TFRecord file, plain or gzip, and notes where its records lie: 8 bytes of memory each. The
 * checksums of the lengths are verified at once, those of the records when they are read.
 *
 * The format: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
 */
export async function openTfrecordFile(
  file: string,
  options: SourceOptions = {},
): Promise<TfrecordFile> {
  const source = await openSource(file, options);
  const starts = createNumberList(Float64Array);
  try {
    const headers = createHeaderReader(source);
    let at = 0;
    while (at < source.size) {
      starts.push(at);
      at += BEFORE + (await headers.lengthAt(at)) + AFTER;
    }
    starts.push(at);
  } catch (thrown) {
    await source.close();
    throw thrown;
  }
  return {
    file,
    size: starts.length - 1,
    async read(index) {
      const offset = starts.at(index) + BEFORE;
      const record = Buffer.alloc(starts.at(index + 1) - offset);
      await source.readInto(record, offset);
      const bytes = record.subarray(0, -AFTER);
      checkSum(bytes, record.readUInt32LE(bytes.length), file, offset, `record ${index}`);
      return { bytes, offset };
    },
    close: () => source.close(),
  };
}

/**
 * Reads the headers through a window on the file: many short records then cost one call to the
 * system, and long ones are skipped.
 */
function createHeaderReader(source: Source) {
  const { file, size } = source;
  let window = Buffer.alloc(0);
  let windowStart = 0;
  return {
    async lengthAt(offset: number): Promise<number> {
      if (offset + BEFORE > size) throw truncated(file, offset, BEFORE, size - offset);
      if (offset + BEFORE > windowStart + window.length) {
        window = Buffer.alloc(Math.min(2 ** 16, size - offset));
        windowStart = offset;
        await source.readInto(window, offset);
      }
      const header = window.subarray(offset - windowStart, offset - windowStart + BEFORE);
      checkSum(
        header.subarray(0, 8),
        header.readUInt32LE(8),
        file,
        offset,
        'the length of a record',
      );
      const length = Number(header.readBigUInt64LE(0));
      const left = size - offset - BEFORE - AFTER;
      if (length > left) throw truncated(file, offset + BEFORE, length, Math.max(0, left));
      return length;
    },
  };
}

function checkSum(bytes: Uint8Array, expected: number, file: string, offset: number, what: string) {
  const found = maskedChecksum(checksums.crc32c(bytes));
  if (found === expected) return;
  throw badData(
    `the checksum of ${what} is ${found}, but ${expected} was stored`,
    'Give a TFRecord file; if it is one, it is damaged: fetch or write it again.',
    { file, offset, expected, found },
  );
}

function truncated(file: string, offset: number, expected: number, found: number) {
  return badData(
    `expected a record of ${expected} bytes, but the file ends after ${found}`,
    'The file is truncated: fetch or write it again.',
    { file, offset, expected, found },
  );
}
