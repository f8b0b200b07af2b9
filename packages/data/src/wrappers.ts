import { badData } from './bad-data.js';
import { checkDataset } from './check-dataset.js';
import type { Batch, Dataset } from './dataset.js';
import { checkIndices } from './indices.js';

/**
 * A data set whose batches pass through `change`: other fields, other types, other shapes, but the
 * same examples in the same order.
 *
 * Nothing random belongs here, since it would differ between workers: a program draws augmentation
 * from the generator of its micro-batch.
 * @throws TuttiError BAD_DATA (on reading) if `change` returns another number of examples
 */
export function map(dataset: Dataset, change: (batch: Batch) => Batch | Promise<Batch>): Dataset {
  checkDataset(dataset, 'The data set given to map()');
  return withClose(dataset, {
    size: dataset.size,
    async read(indices) {
      const batch = await change(await dataset.read(indices));
      for (const [name, { shape }] of Object.entries(batch)) {
        if (shape[0] === indices.length) continue;
        throw badData(
          `the function given to map() made ${shape[0]} examples of ${indices.length} in field ${name}`,
          'Return as many examples as came in, the first dimension of every field.',
          { field: name, expected: indices.length, found: shape[0] },
        );
      }
      return batch;
    },
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
  return withClose(dataset, {
    size,
    async read(indices) {
      checkIndices(indices, size, `the slice from ${from} to ${to}`);
      return dataset.read(Array.from(indices, (index) => index + from));
    },
  });
}

/** The first `count` examples, or all if there are fewer. */
export function take(dataset: Dataset, count: number): Dataset {
  checkDataset(dataset, 'The data set given to take()');
  return slice(dataset, 0, Math.min(count, dataset.size));
}

function withClose(inner: Dataset, outer: Dataset): Dataset {
  return { ...outer, close: async () => inner.close?.() };
}
