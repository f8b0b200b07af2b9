import { badData } from './bad-data.js';
import type { Batch, Dataset, Field } from './dataset.js';
import { BYTES_PER_ELEMENT, createDecoder, type Decoder, type ElementFormat } from './elements.js';
import { checkIndices, commonSize, product } from './indices.js';
import type { Source } from './source.js';

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
    const size = commonSize(
      Object.fromEntries(columns.map(([name, { array }]) => [name, array.shape[0]!])),
    );
    const labels = stored.y;
    if (labels && options.classes !== undefined) await checkLabels(labels, options.classes);
    const name = [...sources].map(({ file }) => file).join(' and ');
    return {
      size,
      async read(indices) {
        checkIndices(indices, size, name);
        const fields = await Promise.all(
          columns.map(async ([field, column]) => [field, await readRows(column, indices)] as const),
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
  const { decoder, rowElements, rowBytes, rowShape } = column;
  const { source, offset } = column.array;
  const count = indices.length;
  const data = decoder.create(count * rowElements);
  if (source.bytes) {
    for (let i = 0; i < count; i++) {
      const from = offset + indices[i]! * rowBytes;
      decoder.decode(source.bytes, from, rowElements, data, i * rowElements);
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
    decoder.decode(rows, 0, count * rowElements, data, 0);
  }
  return { data, shape: [count, ...rowShape] };
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
    decoder.decode(bytes, 0, count, values, 0);
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
