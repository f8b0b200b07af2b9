import { badData } from '../contract/bad-data.js';
import { checkDataset } from '../contract/check-dataset.js';
import type { Batch, Dataset, GivenBatch } from '../contract/dataset.js';
import { toBatch } from '../contract/field.js';
import { checkIndices } from '../contract/indices.js';
import { withLoudIntegers } from './loud-integers.js';

/**
 * A data set whose batches pass through `change`: other fields, other types, other shapes, but the
 * same examples in the same order. What it returns becomes what `arrays` makes of it.
 *
 * Where `x` holds integers, JavaScript makes integers of the results of `x.data.map(...)`, too: results
 * with decimals are an error there. `Array.from(x.data, ...)` keeps them.
 *
 * Nothing random belongs here, since it would differ between workers: a program draws augmentation
 * from the generator of its micro-batch.
 * @throws TuttiError BAD_DATA (on reading) if `change` returns another number of examples, or what is
 *   no field
 */
export function map(
  dataset: Dataset,
  change: (batch: Batch) => GivenBatch | Promise<GivenBatch>,
): Dataset {
  checkDataset(dataset, 'The data set given to map()');
  return wrapped(dataset, (index) => index, {
    size: dataset.size,
    read: async (indices) =>
      toBatch(await change(withLoudIntegers(await dataset.read(indices))), {
        of: 'that the function given to map() made',
        indices,
      }),
  });
}

/** Examples `from` up to, not including, `to`, numbered anew from 0. */
export function slice(dataset: Dataset, from: number, to: number = dataset.size): Dataset {
  checkDataset(dataset, 'The data set given to slice()');
  if (![from, to].every(Number.isInteger) || from < 0 || to < from || to > dataset.size) {
    throw badData(
      `examples ${from} to ${to} were asked of a data set of ${dataset.size}`,
      'Give whole numbers with 0 <= from <= to <= size.',
      { from, to, size: dataset.size },
    );
  }
  const size = to - from;
  return wrapped(dataset, (index) => index + from, {
    size,
    async read(indices, only) {
      checkIndices(indices, size, `the slice from ${from} to ${to}`);
      return dataset.read(
        Array.from(indices, (index) => index + from),
        only,
      );
    },
  });
}

/** The first `count` examples, or all if there are fewer. */
export function take(dataset: Dataset, count: number): Dataset {
  checkDataset(dataset, 'The data set given to take()');
  return slice(dataset, 0, Math.min(count, dataset.size));
}

/**
 * A data set that reads from another, closes it, and says of it what it says.
 * @param inside the place in the inner one of an example
 */
export function wrapped(
  inner: Dataset,
  inside: (index: number) => number,
  outer: Dataset,
): Dataset {
  const { notices } = inner;
  return {
    ...outer,
    close: async () => inner.close?.(),
    ...(inner.origin && { origin: (index) => inner.origin!(inside(index)) }),
    ...(notices === undefined ? {} : { notices }),
  };
}
