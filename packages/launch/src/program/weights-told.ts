import type { RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { inspectProgram } from '@tutti/worker/internal';

/** The same program, which tells when it is opened what its weights are made of, for whoever looks at the run. */
export function tellingWeights(program: Program, emit: (event: RunEvent) => void): Program {
  return {
    ...program,
    async open() {
      // Unnamed wait: the caller races it.
      const computation = await program.open();
      try {
        const { elements, stored, weights } = inspectProgram(program, computation).report;
        const rows = weights.map(({ weight, shape, kind, elements, own }) => ({
          ...{ weight, shape, kind, elements, own },
        }));
        emit({ event: 'weights', elements, stored, weights: rows });
      } catch {
        // What is wrong with the program the run itself tells.
      }
      return computation;
    },
  };
}
