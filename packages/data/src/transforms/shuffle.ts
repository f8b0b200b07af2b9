import { createRandom } from '@tutti/runtime';
import { checkDataset } from '../contract/check-dataset.js';
import type { Dataset } from '../contract/dataset.js';
import { checkIndices } from '../contract/indices.js';
import { badOption } from '../contract/options.js';
import { wrapped } from './wrappers.js';

/**
 * The same examples in an order that follows from `seed` and their number alone: the same in every
 * process and on every machine, unlike that of `Math.random` or `tf.util.shuffle`.
 *
 * Training shuffles by itself, anew every epoch: this is for what comes before, such as `take`.
 * @throws TuttiError BAD_PROGRAM for a seed that is no whole number
 */
export function shuffle(dataset: Dataset, seed: number): Dataset {
  checkDataset(dataset, 'The data set given to shuffle()');
  return picked(dataset, shuffledOrder(dataset.size, seed, 'shuffle()'), 'the shuffled data');
}

/** The numbers from 0 to `size - 1`, shuffled. @param who names the function that was given the seed */
export function shuffledOrder(size: number, seed: number, who: string): Uint32Array {
  if (!Number.isSafeInteger(seed))
    throw badOption(
      `The seed given to ${who} is ${seed}`,
      'Give a whole number, the same in every process: all must find the same examples.',
    );
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  return createRandom('order of examples', seed).shuffle(order);
}

/** Those examples, in that order. @param called as errors call them */
export function picked(dataset: Dataset, examples: Uint32Array, called: string): Dataset {
  return wrapped(dataset, (index) => examples[index]!, {
    size: examples.length,
    async read(indices, only) {
      checkIndices(indices, examples.length, called);
      return dataset.read(
        Uint32Array.from(indices, (index) => examples[index]!),
        only,
      );
    },
  });
}
