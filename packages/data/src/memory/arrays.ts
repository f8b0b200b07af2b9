import type { Batch, Dataset, Field, GivenField } from '../contract/dataset.js';
import { toField } from '../contract/field.js';
import { checkIndices, commonSize, product } from '../contract/indices.js';
import { createRoundedIntegers } from './rounded-integers.js';

/**
 * A data set in memory. `shape[0]` of every field is the number of examples. float32, int32 and uint8
 * stay what they are and are not copied, so leave the arrays alone afterwards; float64, plain numbers
 * and booleans become float32, all other integers int32.
 *
 * @example arrays({ x: { data: pixels, shape: [100, 28, 28, 1] }, y: { data: labels, shape: [100] } })
 * @throws TuttiError BAD_DATA if a shape does not fit its data, a value is no number or does not fit,
 *   or the fields differ in size
 */
export function arrays(fields: Readonly<Record<string, GivenField>>): Dataset {
  const entries = Object.entries(fields).map(
    ([name, field]) => [name, toField(name, field)] as const,
  );
  const size = commonSize(
    Object.fromEntries(entries.map(([name, { shape }]) => [name, shape[0]!])),
  );
  return {
    size,
    async read(indices, only) {
      checkIndices(indices, size, 'the arrays');
      const batch: Record<string, Field> = {};
      for (const [name, field] of entries)
        if (only?.includes(name) ?? true) batch[name] = gather(field, indices);
      return batch as Batch;
    },
    origin: (index) => `example ${index} of arrays()`,
    notices: entries.flatMap(([name, { data, shape }]) => {
      const rounded = createRoundedIntegers();
      const given = fields[name]!.data;
      if (data instanceof Float32Array && data !== given)
        for (let i = 0; i < data.length; i++)
          rounded.see(
            Number(given[i]),
            () => `example ${Math.floor((i * shape[0]!) / data.length)}`,
          );
      return rounded.notices(
        `field ${name}`,
        'Give them as an Int32Array, unless it does not matter.',
      );
    }),
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
