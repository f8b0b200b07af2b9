import type { Clock, Timer } from '@tutti/runtime';

/**
 * Coordinators that ask for a server which another one uses. That one may be dead, and its end not
 * noticed yet: then the first of them is let in.
 */
export interface Contenders {
  /** It may ask again while it waits. */
  hold(peer: string, session: string): void;
  /** The coordinator is gone: who came first may ask, and the others wait for that one. */
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
  readonly admit: (peer: string, session: string) => void;
  readonly refuse: (peer: string) => void;
}): Contenders {
  const { clock, patienceMs, admit, refuse } = init;
  const waiting = new Map<string, { readonly session: string; readonly timer: Timer }>();

  function forget(peer: string) {
    waiting.get(peer)?.timer.cancel();
    waiting.delete(peer);
  }

  return {
    hold(peer, session) {
      if (waiting.has(peer)) return;
      const giveUp = () => {
        waiting.delete(peer);
        refuse(peer);
      };
      waiting.set(peer, { session, timer: clock.after(patienceMs, giveUp) });
    },
    admit() {
      const [first] = waiting;
      if (first === undefined) return;
      const [peer, { session }] = first;
      forget(peer);
      admit(peer, session);
    },
    forget,
    close() {
      for (const peer of [...waiting.keys()]) forget(peer);
    },
  };
}
