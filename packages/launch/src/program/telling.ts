import type { FrozenValues } from '@tutti/parameters';
import type { RunEvent } from '@tutti/telemetry';
import type { Computation, Program } from '@tutti/worker';
import { inspectProgram, openComputation } from '@tutti/worker/internal';

/**
 * The same program, which tells when it is opened what only a process that has the program can know.
 * @param init.emit is told what the weights are made of, for whoever looks at the run
 * @param init.onFrozen is told what weights read and nobody stores: no server has that
 */
export function telling(
  program: Program,
  init: {
    readonly emit: (event: RunEvent) => void;
    readonly onFrozen: (frozen: readonly FrozenValues[]) => void;
  },
): Program {
  return {
    ...program,
    async open() {
      // Unnamed wait: the caller races it.
      const computation = await openComputation(program);
      tellWeights(program, computation, init.emit);
      const frozen = computation.sharing?.frozen() ?? [];
      if (frozen.length > 0) init.onFrozen(frozen);
      return computation;
    },
  };
}

function tellWeights(program: Program, computation: Computation, emit: (event: RunEvent) => void) {
  try {
    const { elements, stored, weights } = inspectProgram(program, computation).report;
    const rows = weights.map(({ weight, shape, kind, elements, own }) => ({
      ...{ weight, shape, kind, elements, own },
    }));
    emit({ event: 'weights', elements, stored, weights: rows });
  } catch {
    // What is wrong with the program the run itself tells.
  }
}
