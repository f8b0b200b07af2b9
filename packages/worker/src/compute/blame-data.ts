import type { Batch, Dataset } from '@tutti/data';
import { isTuttiError, TuttiError } from '@tutti/runtime';

/** A value that no arithmetic survives. */
interface BadValue {
  readonly field: string;
  /** In the batch. */
  readonly row: number;
  /** In the example. */
  readonly element: number;
  readonly value: number;
}

/** The square of more does not fit into float32. */
const MOST = 1e19;

/** The first value that is not finite, else the largest whose square is not. */
function badValueIn(batch: Batch): BadValue | undefined {
  let largest: BadValue | undefined;
  for (const [field, { data, shape }] of Object.entries(batch)) {
    if (!(data instanceof Float32Array)) continue;
    const length = data.length / shape[0]!;
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      // False of NaN, too.
      if (Math.abs(value) <= MOST) continue;
      const row = Math.floor(i / length);
      const found = { field, row, element: i - row * length, value };
      if (!Number.isFinite(value)) return found;
      if (Math.abs(value) > Math.abs(largest?.value ?? 0)) largest = found;
    }
  }
  return largest;
}

/**
 * Looks for the reason of an error in the examples that were computed on: a number that is not finite
 * comes from one in the data more often than from training. They are read again, for a program may have
 * written to what it was given.
 * @param error what came of them
 * @param part of the data, such as "training"
 * @returns a TuttiError BAD_DATA naming field, example and value, else the error as it was
 */
export async function blameData(
  error: unknown,
  part: string,
  dataset: Dataset,
  indices: ArrayLike<number>,
): Promise<unknown> {
  if (!isTuttiError(error)) return error;
  const { code, message, remedy, details } = error;
  const called = (index: number) => {
    const origin = dataset.origin?.(index);
    return `${part} example ${index}${origin === undefined ? '' : ` (${origin})`}`;
  };
  if (code === 'BAD_DATA' && typeof details.row === 'number') {
    const example = indices[details.row]!;
    return new TuttiError(code, `${message}: ${called(example)}`, {
      remedy,
      details: { ...details, example },
      cause: error,
    });
  }
  if (code !== 'NOT_FINITE') return error;
  // What cannot be read again is not to blame for what was.
  const bad = await dataset.read(indices).then(badValueIn, () => undefined);
  if (bad === undefined) return error;
  const { field, row, element } = bad;
  // float32 has 7 digits.
  const value = Number(bad.value.toPrecision(7));
  const example = indices[row]!;
  return new TuttiError(
    'BAD_DATA',
    `Field "${field}" of ${called(example)} is ${value} in element ${element}: ${message}`,
    {
      remedy: Number.isFinite(value)
        ? 'Scale the data: with `scale` of its reader, or map().'
        : 'Correct the example or leave it out, or put a number in the place of such values with map().',
      details: { ...details, field, example, element, value: String(value) },
      cause: error,
    },
  );
}
