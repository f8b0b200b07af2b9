import { checkKeys } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { product } from '../../contract/indices.js';
import { checkNumbers } from '../../contract/options.js';
import { BYTES_PER_ELEMENT, type ElementKind } from '../../files/elements.js';
import { openSource, SOURCE_KEYS, type Source, type SourceOptions } from '../../files/source.js';
import { openAll, type StoredArray, TABLE_KEYS, type TableOptions, table } from './table.js';

export interface IdxOptions extends TableOptions, SourceOptions {}

/** The third byte of an IDX file (http://yann.lecun.com/exdb/mnist). */
const KINDS: Readonly<Record<number, ElementKind>> = {
  8: 'uint8',
  9: 'int8',
  11: 'int16',
  12: 'int32',
  13: 'float32',
  14: 'float64',
};

const KNOWN: Readonly<Record<keyof IdxOptions, true>> = {
  ...TABLE_KEYS,
  ...SOURCE_KEYS,
};

/**
 * A data set in IDX files, the format of MNIST, plain or gzip: one file a field.
 *
 * Field `y` holds labels and is read as int32; the others are inputs. Inputs of integers are read as
 * float32, times `scale` (1/255 unless given).
 * Files over `memoryLimitBytes` are read where an example lies; gzip ones are held in memory.
 *
 * @example await idx({ x: 'train-images-idx3-ubyte.gz', y: 'train-labels-idx1-ubyte.gz' }, { classes: 10 })
 * @throws TuttiError BAD_DATA: missing or truncated file, wrong magic number, sizes that differ,
 * a label outside `classes`
 */
export async function idx(
  files: Readonly<Record<string, string>>,
  options: IdxOptions = {},
): Promise<Dataset> {
  checkKeys('idx', options, KNOWN);
  checkNumbers('idx()', options);
  const stored = await openAll(files, async (file) => {
    const source = await openSource(file, options);
    try {
      return await readHeader(source);
    } catch (thrown) {
      await source.close();
      throw thrown;
    }
  });
  return table(stored, { scale: 1 / 255, ...options });
}

async function readHeader(source: Source): Promise<StoredArray> {
  const { file } = source;
  const magic = await bytesAt(source, 0, 4);
  const kind = KINDS[magic[2]!];
  const rank = magic[3]!;
  if (magic[0] !== 0 || magic[1] !== 0 || kind === undefined || rank === 0) {
    const found = Buffer.from(magic).toString('hex');
    throw badData(
      `expected the magic number of an IDX file (00 00, a type of 08 to 0e, a rank), found ${found}`,
      'Give an IDX file such as train-images-idx3-ubyte, plain or gzip.',
      { file, offset: 0, expected: '0000[08-0e][01-ff]', found },
    );
  }
  const sizes = Buffer.from(await bytesAt(source, 4, 4 * rank));
  const shape = Array.from({ length: rank }, (_, i) => sizes.readUInt32BE(4 * i));
  const offset = 4 + 4 * rank;
  const expected = offset + product(shape) * BYTES_PER_ELEMENT[kind];
  if (source.size !== expected) {
    throw badData(
      `its header announces ${kind} of shape [${shape.join(', ')}], ${expected} bytes in all, but there are ${source.size}`,
      source.size < expected
        ? 'The file is truncated: fetch or write it again.'
        : 'The file is longer than its header says: fetch or write it again.',
      { file, offset: Math.min(source.size, expected), expected, found: source.size },
    );
  }
  return { source, offset, shape, format: { kind, littleEndian: false } };
}

async function bytesAt(source: Source, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await source.readInto(bytes, position);
  return bytes;
}
