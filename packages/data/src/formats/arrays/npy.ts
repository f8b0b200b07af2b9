import { checkKeys } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { product } from '../../contract/indices.js';
import { checkNumbers } from '../../contract/options.js';
import { BYTES_PER_ELEMENT, type ElementFormat, type ElementKind } from '../../files/elements.js';
import { openSource, SOURCE_KEYS, type Source, type SourceOptions } from '../../files/source.js';
import { openAll, type StoredArray, TABLE_KEYS, type TableOptions, table } from './table.js';

export interface NpyOptions extends TableOptions, SourceOptions {}

const KINDS: Readonly<Record<string, ElementKind>> = {
  u1: 'uint8',
  b1: 'uint8',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  f4: 'float32',
  f8: 'float64',
};

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

const KNOWN: Readonly<Record<keyof NpyOptions, true>> = {
  ...TABLE_KEYS,
  ...SOURCE_KEYS,
};

/**
 * A data set in NumPy files, one file a field: numbers of type f4, f8, i1, i2, i4, i8, u1 or bool in
 * C order, the first dimension the examples.
 *
 * Floating-point numbers are read as float32. Field `y`, if of integers, is read as int32. Other
 * integers become float32 if `scale` is given, else int32, or uint8 for u1.
 * Files over `memoryLimitBytes` are read where an example lies.
 *
 * @example await npy({ x: 'images.npy', y: 'labels.npy' }, { scale: 1 / 255, classes: 10 })
 * @throws TuttiError BAD_DATA: missing, truncated or foreign file, sizes that differ, a label outside
 * `classes`
 */
export async function npy(
  files: Readonly<Record<string, string>>,
  options: NpyOptions = {},
): Promise<Dataset> {
  checkKeys('npy', options, KNOWN);
  checkNumbers('npy()', options);
  const stored = await openAll(files, async (file) =>
    readNpyHeader(await openSource(file, options)),
  );
  return table(stored, options);
}

/**
 * Reads the header of a .npy file (NumPy Enhancement Proposal 1, versions 1 to 3). Closes the source
 * if it throws.
 */
export async function readNpyHeader(source: Source): Promise<StoredArray> {
  try {
    return await parseNpyHeader(source);
  } catch (thrown) {
    await source.close();
    throw thrown;
  }
}

async function parseNpyHeader(source: Source): Promise<StoredArray> {
  const { file } = source;
  const start = Buffer.alloc(Math.min(12, source.size));
  await source.readInto(start, 0);
  if (start.length < 12 || !start.subarray(0, 6).equals(MAGIC)) {
    const found = start.subarray(0, 6).toString('hex');
    throw badData(
      `expected the magic number of a .npy file (${MAGIC.toString('hex')}), found ${found || 'nothing'}`,
      'Give a file that numpy.save wrote.',
      { file, offset: 0, expected: MAGIC.toString('hex'), found },
    );
  }
  const version = start[6]!;
  if (version < 1 || version > 3) {
    throw badData(
      `version ${version} of the .npy format is not known`,
      'Save it as version 1 to 3.',
      {
        file,
        offset: 6,
        found: version,
      },
    );
  }
  const [headerStart, headerLength] =
    version === 1 ? [10, start.readUInt16LE(8)] : [12, start.readUInt32LE(8)];
  const offset = headerStart + headerLength;
  if (offset > source.size) {
    throw badData(
      `its header should end at byte ${offset}, but there are ${source.size} bytes`,
      'The file is truncated: fetch or write it again.',
      { file, offset: source.size, expected: offset, found: source.size },
    );
  }
  const header = Buffer.alloc(headerLength);
  await source.readInto(header, headerStart);
  const { format, shape } = parseDictionary(header.toString('latin1'), file, headerStart);
  const expected = offset + product(shape) * BYTES_PER_ELEMENT[format.kind];
  if (source.size !== expected) {
    throw badData(
      `its header announces ${format.kind} of shape [${shape.join(', ')}], ${expected} bytes in all, but there are ${source.size}`,
      source.size < expected
        ? 'The file is truncated: fetch or write it again.'
        : 'The file is longer than its header says: write it again.',
      { file, offset: Math.min(source.size, expected), expected, found: source.size },
    );
  }
  return { source, offset, shape, format };
}

/** The header is the literal of a Python dictionary with the keys descr, fortran_order and shape. */
function parseDictionary(
  text: string,
  file: string,
  offset: number,
): { format: ElementFormat; shape: number[] } {
  const descr = /'descr':\s*'([<>|=]?)([a-zA-Z]\d+)'/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const dimensions = /'shape':\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  const kind = KINDS[descr?.[2] ?? ''];
  if (descr === null || kind === undefined) {
    throw badData(
      `its numbers are of a type that is not supported: ${/'descr':[^}]*?(?=, '|})/.exec(text)?.[0] ?? text.trim()}`,
      `Save it as one of ${Object.keys(KINDS).join(', ')}: array.astype('f4').`,
      { file, offset, found: descr?.[2] },
    );
  }
  if (order !== 'False' || dimensions === undefined) {
    throw badData(
      order === 'True' ? 'it lies in Fortran order' : `its header is malformed: ${text.trim()}`,
      'Save it in C order: numpy.save(file, numpy.ascontiguousarray(array)).',
      { file, offset, found: text.trim() },
    );
  }
  const shape = (dimensions.match(/\d+/g) ?? []).map(Number);
  if (shape.length === 0) {
    throw badData(
      'it holds a single number, not an array',
      'The first dimension must be the examples.',
      { file, offset },
    );
  }
  return { format: { kind, littleEndian: descr[1] !== '>' }, shape };
}
