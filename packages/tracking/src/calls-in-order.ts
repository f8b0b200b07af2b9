import { TuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';

/** What a server is told, one call after the other. */
export interface CallsInOrder {
  /** Does this after what came before. What fails is a warning, once, and the next is tried. */
  next(call: () => Promise<void>): void;
  /** Resolves once all that came before is done. */
  done(): Promise<void>;
}

/** @param server what cannot be told, with its address */
export function createCallsInOrder(init: {
  readonly server: string;
  readonly remedy: string;
  readonly emit: (event: RunEvent) => void;
}): CallsInOrder {
  const { server, remedy, emit } = init;
  let warned = false;
  let work: Promise<void> = Promise.resolve();
  return {
    next(call) {
      work = work.then(call).catch((cause: Error) => {
        if (warned) return;
        warned = true;
        const message = `${server} could not be told of the run: ${cause.message}`;
        emit(warningOf(new TuttiError('PEER_LOST', message, { remedy, cause })));
      });
    },
    done: () => work,
  };
}
