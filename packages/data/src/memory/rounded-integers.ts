import type { Notice } from '../contract/dataset.js';

/** Counts whole numbers that float32 rounds: the names of two things may become one. */
export interface RoundedIntegers {
  /** @param where it stands, such as "example 3" */
  see(value: number, where: () => string): void;
  /** None if there were none. */
  notices(called: string, remedy: string): Notice[];
}

export function createRoundedIntegers(): RoundedIntegers {
  let count = 0;
  let first = '';
  return {
    see(value, where) {
      // Beyond 64 bits nothing is numbered: that is a measure.
      if (!Number.isInteger(value) || Math.abs(value) > 2 ** 64) return;
      if (Math.fround(value) === value) return;
      if (count++ === 0) first = `${value} in ${where()} became ${Math.fround(value)}`;
    },
    notices: (called, remedy) =>
      count === 0
        ? []
        : [
            {
              message: `${count} whole number${count === 1 ? '' : 's'} beyond 16777216 in ${called} were rounded to float32 (${first})`,
              remedy,
            },
          ],
  };
}
