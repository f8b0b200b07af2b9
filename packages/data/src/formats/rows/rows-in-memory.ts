import type { Batch, Dataset, Notice } from '../../contract/dataset.js';
import { checkIndices } from '../../contract/indices.js';
import { arrays } from '../../memory/arrays.js';

/** Where row `index` of a file stands, for errors. */
export const rowOf = (file: string) => (index: number) => `row ${index + 1} of ${file}`;

/** The data set of rows whose fields are in memory. */
export function rowsInMemory(
  file: string,
  size: number,
  fields: Batch,
  notices: readonly Notice[],
): Dataset {
  const { read } = arrays(fields);
  return {
    size,
    async read(indices) {
      checkIndices(indices, size, file);
      return read(indices);
    },
    notices,
    origin: rowOf(file),
  };
}
