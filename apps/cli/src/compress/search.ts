import { type Densities, halved, type Prunable } from './densities.js';
import type { Stage } from './stage-table.js';

/** Rounds of a search at most; each halves the largest weight. */
const MOST_ROUNDS = 8;

/**
 * Halves what stays of the weights, round after round, until the accuracy falls below the least one, or the file is
 * small enough. A program whose accuracy is less than that from the start goes on while it gets better.
 * @returns the last that is good enough, and all that was tried
 */
export async function searchDensities<Trained extends { readonly stage: Stage }>(init: {
  readonly prunable: readonly Prunable[];
  readonly from: Trained;
  readonly leastAccuracy: number;
  /** Whether its file, once it is clustered, would be small enough. */
  readonly isSmall: (of: Trained) => Promise<boolean>;
  readonly prune: (name: string, densities: Densities, before: Trained) => Promise<Trained>;
}): Promise<{ readonly last: Trained; readonly stages: readonly Stage[] }> {
  const { prunable, from, leastAccuracy, isSmall, prune } = init;
  const stages: Stage[] = [];
  let last = from;
  let densities: Densities = {};
  // Unnamed wait: what it awaits names its own waits.
  for (let round = 1; round <= MOST_ROUNDS && !(await isSmall(last)); round++) {
    densities = halved(densities, prunable);
    const name = `pruned, halved ${round === 1 ? 'once' : `${round} times`}`;
    // Unnamed wait: what it awaits names its own waits.
    const next = await prune(name, densities, last);
    if (next.stage.accuracy < Math.min(leastAccuracy, last.stage.accuracy)) {
      stages.push({ ...next.stage, stage: `${name} (given up)` });
      break;
    }
    stages.push(next.stage);
    last = next;
  }
  return { last, stages };
}
