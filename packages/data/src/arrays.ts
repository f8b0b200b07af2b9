import { badData } from './bad-data.js';
import type { Batch, Dataset, Field } from './dataset.js';
import { checkIndices, commonSize, product } from './indices.js';

/**
 * A data set in memory. `shape[0]` of every field is the number of examples; the arrays are not
 * copied, so leave them alone afterwards.
 *
 * @example arrays({ x: { data: pixels, shape: [100, 28, 28, 1] }, y: { data: labels, shape: [100] } })
 * @throws TuttiError BAD_DATA if a shape does not fit its data or the fields differ in size
 */
export function arrays(fields: Readonly<Record<string, Field>>): Dataset {
  const entries = Object.entries(fields);
  for (const [name, { data, shape }] of entries) {
    if (!ArrayBuffer.isView(data) || !Array.isArray(shape))
      throw badData(
        `field ${name} has no data, which is a typed array, or no shape`,
        `Write arrays({ ${name}: { data: …, shape: [examples, …] } }).`,
        { field: name },
      );
    if (shape.length > 0 && product(shape) === data.length) continue;
    throw badData(
      `field ${name} has ${data.length} values, but its shape [${shape}] holds ${product(shape)}`,
      'Give the shape of the whole array, its first entry the number of examples.',
      { field: name, length: data.length, shape },
    );
  }
  const size = commonSize(
    Object.fromEntries(entries.map(([name, { shape }]) => [name, shape[0]!])),
  );
  return {
    size,
    async read(indices) {
      checkIndices(indices, size, 'the arrays');
      const batch: Record<string, Field> = {};
      for (const [name, field] of entries) batch[name] = gather(field, indices);
      return batch as Batch;
    },
  };
}

function gather({ data, shape }: Field, indices: ArrayLike<number>): Field {
  const rowShape = shape.slice(1);
  const length = product(rowShape);
  const rows = new (data.constructor as Float32ArrayConstructor)(indices.length * length);
  if (length === 1) {
    for (let i = 0; i < indices.length; i++) rows[i] = data[indices[i]!]!;
  } else {
    for (let i = 0; i < indices.length; i++) {
      const start = indices[i]! * length;
      rows.set(data.subarray(start, start + length), i * length);
    }
  }
  return { data: rows, shape: [indices.length, ...rowShape] };
}
