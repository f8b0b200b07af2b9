import type { Batch } from '@tutti/data';
import { TuttiError } from '@tutti/runtime';

/** What TensorFlow says of the element of a flat list that is no row of a table. */
const NO_ROW = /indices\[(\d+)\] = (-?\d+) is not in \[0, (\d+)\)/;

/** What numbers become int32 that are none, or too large. */
const NO_INT32 = -(2 ** 31);

/**
 * Where a number of the batch is looked up in a table that has no such row (of an embedding, or by `gather`),
 * a BAD_DATA that names it in place of TensorFlow's own error; else the error as it was.
 */
export function lookUpError(error: unknown, batch: Batch): unknown {
  const found = error instanceof Error ? NO_ROW.exec(error.message) : null;
  if (found === null) return error;
  const [at, index, rows] = found.slice(1).map(Number) as [number, number, number];
  for (const [field, { data, shape }] of Object.entries(batch)) {
    const value = data[at];
    if (value === undefined) continue;
    const whole = Math.trunc(value);
    const same = index === NO_INT32 ? !(Math.abs(whole) < 2 ** 31) : whole === index;
    if (!same) continue;
    const length = data.length / shape[0]!;
    const row = Math.floor(at / length);
    const element = at - row * length;
    return new TuttiError(
      'BAD_DATA',
      `Field "${field}" has ${value} in element ${element}, which is looked up in a table of ${rows} rows`,
      {
        remedy: `Give whole numbers from 0 to ${rows - 1}, or make the table larger (inputDim of an embedding).`,
        details: { field, row, element },
        cause: error,
      },
    );
  }
  return error;
}
