import type { FrozenValues } from '@tutti/parameters';
import type { Program } from '@tutti/worker';

/**
 * The same program, which says when it is opened what its weights read and nobody stores: no server has that, so
 * only a process that has the program can tell it.
 */
export function tellingFrozen(
  program: Program,
  tell: (frozen: readonly FrozenValues[]) => void,
): Program {
  return {
    ...program,
    async open() {
      // Unnamed wait: the caller races it.
      const computation = await program.open();
      const frozen = computation.sharing?.frozen() ?? [];
      if (frozen.length > 0) tell(frozen);
      return computation;
    },
  };
}
