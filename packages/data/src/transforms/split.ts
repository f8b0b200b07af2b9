import { checkKeys, createRandom } from '@tutti/runtime';
import { badData } from '../contract/bad-data.js';
import { checkDataset } from '../contract/check-dataset.js';
import type { Dataset } from '../contract/dataset.js';
import { product } from '../contract/indices.js';
import { badOption } from '../contract/options.js';
import { batches } from '../sampling/sampling.js';
import { picked, shuffledOrder } from './shuffle.js';

/** What `data()` of a program returns. */
export interface Parts {
  readonly training: Dataset;
  readonly evaluation: Dataset;
}

interface Common {
  /** Decides who goes where: give every process the same. */
  readonly seed: number;
  /** A field of classes, such as 'y': each part gets as much of each class as the whole has. */
  readonly by?: string | undefined;
}

export interface SplitOptions extends Common {
  /** The share to be evaluated on, between 0 and 1; from 1 the number of examples. */
  readonly evaluation: number;
}

export interface FoldsOptions extends Common {
  /** How many folds, from 2. */
  readonly folds: number;
}

const SPLIT_KEYS: Readonly<Record<keyof SplitOptions, true>> = {
  evaluation: true,
  seed: true,
  by: true,
};
const FOLDS_KEYS: Readonly<Record<keyof FoldsOptions, true>> = {
  folds: true,
  seed: true,
  by: true,
};

/** Examples read at a time to learn their classes. */
const RUN = 1024;

/**
 * Two parts of a data set, drawn at random but the same in every process and on every machine. Both
 * keep the order of the examples. `by` reads that field of all examples once.
 *
 * @example data: async () => split(await csv('a.csv', { label: 'kind', classes: 3 }), { evaluation: 0.2, seed: 1, by: 'y' })
 * @throws TuttiError BAD_PROGRAM for options that make no sense; BAD_DATA if a part would be empty, or
 *   `by` names no field of classes
 */
export async function split(dataset: Dataset, options: SplitOptions): Promise<Parts> {
  checkDataset(dataset, 'The data set given to split()');
  checkKeys('split', options, SPLIT_KEYS);
  const { evaluation, seed, by } = options;
  const { size } = dataset;
  if (!(evaluation > 0 && (evaluation < 1 || Number.isSafeInteger(evaluation))))
    throw badOption(
      `evaluation of split() is ${evaluation}`,
      'Give the share of the examples, such as 0.2, or their number.',
    );
  const count = evaluation < 1 ? Math.round(size * evaluation) : evaluation;
  if (count < 1 || count >= size)
    throw badData(
      `${count} of ${size} examples were to be evaluated on, which leaves ${count < 1 ? 'none of them' : 'none to train on'}`,
      'Give another `evaluation`, or more data.',
      { size, evaluation: count },
    );
  const order = spread(
    await classesOf(dataset, by, 'split()'),
    shuffledOrder(size, seed, 'split()'),
  );
  // Every (size / count)-th of those that lie class by class: of each class its share.
  const first = firstOf(size, options);
  const before = (at: number) => Math.floor((at * count + first) / size);
  const chosen = Uint8Array.from({ length: size }, (_, at) => +(before(at + 1) > before(at)));
  return parts(dataset, order, (at) => chosen[at] === 1, 'of split()');
}

/**
 * Cross-validation: every example is evaluated on in exactly one of the pairs, and trained on in the
 * others. A program takes one: `data: async () => (await folds(all, { folds: 5, seed: 1 }))[0]`.
 * @throws TuttiError as `split`
 */
export async function folds(dataset: Dataset, options: FoldsOptions): Promise<Parts[]> {
  checkDataset(dataset, 'The data set given to folds()');
  checkKeys('folds', options, FOLDS_KEYS);
  const { folds: count, seed, by } = options;
  const { size } = dataset;
  if (!Number.isSafeInteger(count) || count < 2)
    throw badOption(`folds of folds() is ${count}`, 'Give a whole number from 2.');
  if (count > size)
    throw badData(`${size} examples make no ${count} folds`, 'Give fewer folds.', { size, count });
  const order = spread(
    await classesOf(dataset, by, 'folds()'),
    shuffledOrder(size, seed, 'folds()'),
  );
  const first = firstOf(count, options);
  return Array.from({ length: count }, (_, fold) =>
    parts(dataset, order, (at) => (at + first) % count === fold, `of fold ${fold}`),
  );
}

/**
 * Where counting begins, below `bound`. Small classes mostly come last, since a shuffled example is seldom of
 * one: counted from 0 they would be in the same part for most seeds.
 */
function firstOf(bound: number, { by, seed }: Common): number {
  return by === undefined ? 0 : createRandom('first of the classes', seed).below(bound);
}

/** The order of the examples made one in which those of a class lie together. */
function spread(classes: readonly string[] | undefined, order: Uint32Array): Uint32Array {
  if (classes === undefined) return order;
  const groups = new Map<string, number[]>();
  // The classes, too, come in the order in which the shuffled examples name them.
  for (const example of order) {
    const group = groups.get(classes[example]!);
    if (group === undefined) groups.set(classes[example]!, [example]);
    else group.push(example);
  }
  return Uint32Array.from([...groups.values()].flat());
}

function parts(
  dataset: Dataset,
  order: Uint32Array,
  evaluated: (at: number) => boolean,
  which: string,
): Parts {
  const part = (wanted: boolean, called: string) =>
    picked(dataset, order.filter((_, at) => evaluated(at) === wanted).sort(), `${called} ${which}`);
  return {
    training: part(false, 'the training part'),
    evaluation: part(true, 'the evaluation part'),
  };
}

/** The class of every example, as text. */
async function classesOf(
  dataset: Dataset,
  by: string | undefined,
  who: string,
): Promise<string[] | undefined> {
  if (by === undefined) return undefined;
  const classes: string[] = [];
  for (const indices of batches(0, dataset.size, RUN)) {
    const batch = await dataset.read(indices, [by]);
    const field = batch[by];
    if (field === undefined)
      throw badData(
        `\`by\` of ${who} names field ${by}, but there is only ${await fieldNames(dataset)}`,
        'Name the field of the classes.',
        { field: by },
      );
    const length = product(field.shape.slice(1));
    for (let i = 0; i < indices.length; i++)
      classes.push(field.data.slice(i * length, (i + 1) * length).join());
  }
  const different = new Set(classes).size;
  // So few examples tell nothing.
  if (2 * different > classes.length && classes.length >= 10)
    throw badData(
      `field ${by} has ${different} different values in ${classes.length} examples: these are no classes`,
      'Leave `by` out, or name a field of classes.',
      { field: by, different },
    );
  return classes;
}

async function fieldNames(dataset: Dataset): Promise<string> {
  return Object.keys(await dataset.read([0])).join(', ') || 'none';
}
