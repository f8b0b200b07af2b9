import { badData } from './bad-data.js';

/** Checks that every index names one of `size` examples. `name` is how the message calls the data. */
export function checkIndices(indices: ArrayLike<number>, size: number, name: string): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (Number.isInteger(index) && index >= 0 && index < size) continue;
    throw badData(
      `example ${index} of ${name} was asked for, which has ${size} (0 to ${size - 1})`,
      'Ask for indices of this data set only; is it another than the one the plan was made for?',
      { index, size },
    );
  }
}

/**
 * Checks that all fields have the same number of examples, and returns it.
 * @param file leads the message, if they come from files
 */
export function commonSize(sizes: Readonly<Record<string, number>>, file?: string): number {
  const [first, ...others] = Object.entries(sizes);
  if (first === undefined) {
    throw badData('a data set without fields', 'Name at least one field, such as x.');
  }
  for (const [name, size] of others) {
    if (size === first[1]) continue;
    throw badData(
      `field ${first[0]} has ${first[1]} examples but field ${name} has ${size}`,
      'Give files or arrays that belong together: one entry per example in each.',
      { sizes, ...(file === undefined ? {} : { file }) },
    );
  }
  return first[1];
}

export function product(shape: readonly number[]): number {
  return shape.reduce((total, length) => total * length, 1);
}
