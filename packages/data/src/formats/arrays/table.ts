import { badData } from '../../contract/bad-data.js';
import type { Batch, Dataset, Field } from '../../contract/dataset.js';
import { checkIndices, commonSize, product } from '../../contract/indices.js';
import {
  BYTES_PER_ELEMENT,
  createDecoder,
  type Decoder,
  type ElementFormat,
  UnfitNumberError,
} from '../../files/elements.js';
import type { Source } from '../../files/source.js';

/** An array in a file: its numbers lie one after the other, in C order, from `offset`. */
export interface StoredArray {
  readonly source: Source;
  readonly offset: number;
  /** Its first entry is the number of examples. */
  readonly shape: readonly number[];
  readonly format: ElementFormat;
}

export interface TableOptions {
  /** Inputs (all fields but `y`) that are integers in the file become float32, times this. */
  readonly scale?: number | undefined;
  /** Field `y` must hold integers from 0 to classes - 1: checked on opening. */
  readonly classes?: number | undefined;
  /** Gives inputs a last dimension of length 1: [n, 28, 28] is read as [n, 28, 28, 1]. */
  readonly channelDimension?: boolean | undefined;
}

export const TABLE_KEYS: Readonly<Record<keyof TableOptions, true>> = {
  scale: true,
  classes: true,
  channelDimension: true,
};

interface Column {
  readonly array: StoredArray;
  readonly decoder: Decoder;
  readonly rowElements: number;
  readonly rowBytes: number;
  readonly rowShape: readonly number[];
}

/** Opens the array of every field; if one fails, closes those that were opened. */
export async function openAll<Place>(
  places: Readonly<Record<string, Place>>,
  openOne: (place: Place) => Promise<StoredArray>,
): Promise<Record<string, StoredArray>> {
  const stored: Record<string, StoredArray> = {};
  try {
    for (const [name, place] of Object.entries(places)) stored[name] = await openOne(place);
    return stored;
  } catch (thrown) {
    await Promise.all(Object.values(stored).map(({ source }) => source.close()));
    throw thrown;
  }
}

/** A data set whose fields are arrays in files. Takes over the sources: closes them at the end. */
export async function table(
  stored: Readonly<Record<string, StoredArray>>,
  options: TableOptions = {},
): Promise<Dataset> {
  const sources = new Set(Object.values(stored).map(({ source }) => source));
  const close = async () => {
    await Promise.all([...sources].map((source) => source.close()));
  };
  try {
    const columns = Object.entries(stored).map(
      ([name, array]) => [name, columnOf(name, array, options)] as const,
    );
    const name = [...sources].map(({ file }) => file).join(' and ');
    const size = commonSize(
      Object.fromEntries(columns.map(([field, { array }]) => [field, array.shape[0]!])),
      name,
    );
    const labels = stored.y;
    if (labels && options.classes !== undefined) await checkLabels(labels, options.classes);
    return {
      size,
      origin: (index) => `example ${index} of ${name}`,
      async read(indices, only) {
        checkIndices(indices, size, name);
        const wanted = columns.filter(([field]) => only?.includes(field) ?? true);
        const fields = await Promise.all(
          wanted.map(async ([field, column]) => [field, await readRows(column, indices)] as const),
        );
        return Object.fromEntries(fields) as Batch;
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function columnOf(name: string, array: StoredArray, options: TableOptions): Column {
  const isLabel = name === 'y';
  const whole = array.format.kind !== 'float32' && array.format.kind !== 'float64';
  const shape = array.shape.slice(1);
  const rowElements = product(shape);
  return {
    array,
    decoder: createDecoder(array.format, {
      scale: whole && !isLabel ? options.scale : undefined,
      as: isLabel ? 'int32' : undefined,
    }),
    rowElements,
    rowBytes: rowElements * BYTES_PER_ELEMENT[array.format.kind],
    rowShape: options.channelDimension && !isLabel ? [...shape, 1] : shape,
  };
}

async function readRows(column: Column, indices: ArrayLike<number>): Promise<Field> {
  const { array, decoder, rowElements, rowBytes, rowShape } = column;
  const { source, offset } = array;
  const count = indices.length;
  const data = decoder.create(count * rowElements);
  if (source.bytes) {
    for (let i = 0; i < count; i++) {
      const from = offset + indices[i]! * rowBytes;
      placed(array, indices[i]! * rowElements, () =>
        decoder.decode(source.bytes!, from, rowElements, data, i * rowElements),
      );
    }
  } else {
    const rows = new Uint8Array(count * rowBytes);
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        source.readInto(
          rows.subarray(i * rowBytes, (i + 1) * rowBytes),
          offset + indices[i]! * rowBytes,
        ),
      ),
    );
    for (let i = 0; i < count; i++)
      placed(array, indices[i]! * rowElements, () =>
        decoder.decode(rows, i * rowBytes, rowElements, data, i * rowElements),
      );
  }
  return { data, shape: [count, ...rowShape] };
}

/** Decodes numbers of an array from number `first` on, and says where one lies that does not fit. */
function placed(array: StoredArray, first: number, decode: () => void): void {
  try {
    decode();
  } catch (thrown) {
    if (!(thrown instanceof UnfitNumberError)) throw thrown;
    const { source, offset, shape, format } = array;
    const element = first + thrown.element;
    const example = Math.floor(element / product(shape.slice(1)));
    throw badData(`${thrown.message} (example ${example})`, thrown.remedy, {
      file: source.file,
      offset: offset + element * BYTES_PER_ELEMENT[format.kind],
      example,
    });
  }
}

async function checkLabels(labels: StoredArray, classes: number): Promise<void> {
  const { source, offset, format, shape } = labels;
  if (format.kind === 'float32' || format.kind === 'float64') {
    throw badData(
      `holds ${format.kind} numbers, but labels of ${classes} classes are integers`,
      'Store the labels as integers, or leave out `classes` for a regression.',
      { file: source.file, offset },
    );
  }
  const step = BYTES_PER_ELEMENT[format.kind];
  const decoder = createDecoder(format, { as: 'int32' });
  const total = product(shape);
  const run = 2 ** 18;
  for (let start = 0; start < total; start += run) {
    const count = Math.min(run, total - start);
    const bytes = new Uint8Array(count * step);
    await source.readInto(bytes, offset + start * step);
    const values = decoder.create(count);
    placed(labels, start, () => decoder.decode(bytes, 0, count, values, 0));
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      if (value >= 0 && value < classes) continue;
      throw badData(
        `label ${value} of example ${Math.floor((start + i) / product(shape.slice(1)))} is not one of 0 to ${classes - 1}`,
        'Correct the label, or set `classes` to the number of classes.',
        { file: source.file, offset: offset + (start + i) * step, label: value, classes },
      );
    }
  }
}
