import { closest, TuttiError } from '@tutti/runtime';

/** A weight that can be pruned: how many elements it has. */
export interface Prunable {
  readonly name: string;
  readonly size: number;
}

/** The share of each weight that stays, by its name. */
export type Densities = Readonly<Record<string, number>>;

/**
 * `dense_1=0.04,lstm_1/kernel=0.5` as the share of each weight: a layer stands for all of its weights.
 * @throws TuttiError BAD_CONFIG for what is no share, or names no weight
 */
export function parseKeep(text: string, weights: readonly Prunable[]): Densities {
  const densities: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [, name, share] = /^\s*([^=]+?)\s*=\s*(\d*\.?\d+(?:e-?\d+)?)\s*$/.exec(part) ?? [];
    const density = Number(share);
    if (name === undefined || !(density > 0 && density <= 1))
      throw bad(
        `"${part}" of keep is no share of a weight`,
        'Write a layer or a weight, and above 0 and at most 1 what stays of it: dense_1=0.04.',
      );
    const named = weights.filter((each) => each.name === name || each.name.startsWith(`${name}/`));
    if (named.length === 0) {
      const layers = weights.map((each) => each.name.replace(/\/[^/]+$/, ''));
      const meant = closest(name, layers);
      throw bad(
        `keep names "${name}", which has no weight that can be pruned`,
        `${meant === undefined ? '' : `Did you mean "${meant}"? `}There are: ${weights.map((each) => each.name).join(', ')}.`,
      );
    }
    for (const each of named) densities[each.name] = density;
  }
  return densities;
}

/** What stays after one of several rounds: the same factor each time. */
export function inRound(target: Densities, round: number, rounds: number): Densities {
  return Object.fromEntries(
    Object.entries(target).map(([name, density]) => [name, density ** (round / rounds)]),
  );
}

/** Below so many elements there is little to gain. */
const SMALL = 64;

/** Half of the largest weight, and the more of smaller ones the smaller they are. */
export function halved(densities: Densities, weights: readonly Prunable[]): Densities {
  const largest = Math.max(...weights.map(({ size }) => size));
  return Object.fromEntries(
    weights.map(({ name, size }) => {
      const part = size <= SMALL ? 0 : Math.log(size / SMALL) / Math.log(largest / SMALL);
      return [name, (densities[name] ?? 1) * 0.5 ** part];
    }),
  );
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_CONFIG', message, { remedy });
}
