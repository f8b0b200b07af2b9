import type { Clock, Timer } from '@tutti/runtime';

/**
 * Coordinators that ask for a server which another one uses. That one may be dead, and its end not
 * noticed yet: then the first of them is let in.
 */
export interface Contenders {
  /** It may ask again while it waits. */
  hold(peer: string): void;
  /** The coordinator is gone: all that wait may ask. */
  admit(): void;
  forget(peer: string): void;
  /** Nobody is answered any more. */
  close(): void;
}

/**
 * @param init.patienceMs how long the one who is there may take to be missed
 * @param init.admit called with who may ask now
 * @param init.refuse called with who has waited in vain
 */
export function createContenders(init: {
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly admit: (peer: string) => void;
  readonly refuse: (peer: string) => void;
}): Contenders {
  const { clock, patienceMs, admit, refuse } = init;
  const waiting = new Map<string, Timer>();

  function forget(peer: string) {
    waiting.get(peer)?.cancel();
    waiting.delete(peer);
  }

  return {
    hold(peer) {
      if (waiting.has(peer)) return;
      const giveUp = () => {
        waiting.delete(peer);
        refuse(peer);
      };
      waiting.set(peer, clock.after(patienceMs, giveUp));
    },
    admit() {
      for (const peer of [...waiting.keys()]) {
        forget(peer);
        admit(peer);
      }
    },
    forget,
    close() {
      for (const peer of [...waiting.keys()]) forget(peer);
    },
  };
}
