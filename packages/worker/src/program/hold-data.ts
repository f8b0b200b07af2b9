import type { Dataset, Notice } from '@tutti/data';
import { toBatch } from '@tutti/data/internal';
import { programError } from '@tutti/runtime';
import type { ProgramData } from './program.js';

/**
 * Data held to its contract whenever it is read, for a program may bring data sets of its own.
 * @throws (on reading) TuttiError BAD_DATA for what is no batch of as many examples as were asked for;
 *   PROGRAM_FAILED for what the data set throws
 */
export function holdData({ training, evaluation }: ProgramData): ProgramData {
  return {
    training: held(training, 'the training data'),
    ...(evaluation === undefined ? {} : { evaluation: held(evaluation, 'the evaluation data') }),
  };
}

function held(dataset: Dataset, called: string): Dataset {
  return {
    size: dataset.size,
    async read(indices, only) {
      let given: unknown;
      try {
        given = await dataset.read(indices, only);
      } catch (thrown) {
        throw programError(thrown, `read() of ${called}`);
      }
      return toBatch(given, { of: `of ${called}`, indices });
    },
    close: async () => dataset.close?.(),
    ...(dataset.origin && { origin: (index) => dataset.origin!(index) }),
    notices: dataset.notices ?? [],
  };
}

/** What is to be said of the data, each thing once: both parts may come from one reader. */
export function noticesOf({ training, evaluation }: ProgramData): Notice[] {
  const all = [...(training.notices ?? []), ...(evaluation?.notices ?? [])];
  return [...new Map(all.map((notice) => [notice.message, notice])).values()];
}
