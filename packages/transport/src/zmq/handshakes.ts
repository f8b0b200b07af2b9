import type { Clock, Timer } from '@tutti/runtime';
import { HANDSHAKE_MS, READ_MS } from '../tunables.js';

/**
 * Finds connections that came to nothing of which libzmq tells nothing: it takes a stream that begins
 * with 0 for ZMTP 1.0, which knows no handshake, and hangs up for what follows.
 *
 * Its events do not say whose they are. But of the first n connections n have come to an end of their
 * handshake once the time for that has passed, good or bad, so what is missing never will.
 */
export interface Handshakes {
  accepted(): void;
  /** A handshake went well or was told to have failed. */
  ended(): void;
  close(): void;
}

/** @param silent called for each connection that neither spoke nor is told of */
export function createHandshakes(clock: Clock, silent: () => void): Handshakes {
  let accepted = 0;
  let ended = 0;
  const timers = new Set<Timer>();

  function after(delayMs: number, task: () => void) {
    const timer = clock.after(delayMs, () => {
      timers.delete(timer);
      task();
    });
    timers.add(timer);
  }

  return {
    accepted() {
      const first = ++accepted;
      after(HANDSHAKE_MS, () =>
        after(READ_MS, () => {
          for (; ended < first; ended++) silent();
        }),
      );
    },
    ended() {
      ended++;
    },
    close() {
      for (const timer of timers) timer.cancel();
    },
  };
}
