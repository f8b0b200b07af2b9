import { TuttiError } from '@tutti/runtime';
import type { Dataset } from './dataset.js';

/**
 * Programs run without a check of their types: one that forgets to await a data set gives a promise.
 * @param called such as "The data set given to slice()"
 * @throws TuttiError BAD_PROGRAM
 */
export function checkDataset(given: unknown, called: string): Dataset {
  if (isDataset(given)) return given;
  const [what, remedy] =
    given instanceof Promise
      ? ['a promise', 'Await it, as in `await csv(...)`.']
      : [
          'no data set',
          'Give what csv(), arrays() and the like return: an object with size and read().',
        ];
  throw new TuttiError('BAD_PROGRAM', `${called} is ${what}`, { remedy });
}

export function isDataset(value: unknown): value is Dataset {
  const { size, read } = (value ?? {}) as Partial<Record<keyof Dataset, unknown>>;
  return Number.isSafeInteger(size) && (size as number) >= 0 && typeof read === 'function';
}
