import type { Message } from '@tutti/protocol';
import type { Clock, Timer } from '@tutti/runtime';

export type JoinMessage = Extract<Message, { type: 'join' }>;

/**
 * Workers that came with the name of one who is there. That one may be dead: what it sent before is
 * read before its end is known, and this coordinator may have been held up. Then they take its place.
 */
export interface Namesakes {
  hold(peer: string, message: JoinMessage): void;
  /** Lets go of the one who waits longest for a name. */
  take(worker: string): { readonly peer: string; readonly message: JoinMessage } | undefined;
  forget(peer: string): void;
  /** Nobody is taken in any more: calls `refuse` with all that wait. */
  close(): void;
}

/**
 * @param patienceMs how long the one who is there may take to be missed
 * @param refuse called with who has waited in vain
 */
export function createNamesakes(
  clock: Clock,
  patienceMs: number,
  refuse: (peer: string, message: JoinMessage) => void,
): Namesakes {
  const waiting = new Map<string, { readonly message: JoinMessage; readonly timer: Timer }>();

  function release(peer: string) {
    const entry = waiting.get(peer);
    entry?.timer.cancel();
    waiting.delete(peer);
    return entry?.message;
  }

  function giveUp(peer: string) {
    const message = release(peer);
    if (message !== undefined) refuse(peer, message);
  }

  return {
    hold(peer, message) {
      // It may ask again while it waits.
      release(peer);
      waiting.set(peer, { message, timer: clock.after(patienceMs, () => giveUp(peer)) });
    },
    take(worker) {
      for (const [peer, { message }] of waiting)
        if (message.worker === worker) {
          release(peer);
          return { peer, message };
        }
      return undefined;
    },
    forget: (peer) => void release(peer),
    close() {
      for (const peer of [...waiting.keys()]) giveUp(peer);
    },
  };
}
