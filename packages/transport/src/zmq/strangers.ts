import type { Clock } from '@tutti/runtime';
import { STRANGERS_PAUSE_MS } from '../tunables.js';

/**
 * Tells of connections that end before their handshake: the first at once, later ones together with
 * the next after a pause.
 * @returns to be called with each, and what became of it
 */
export function createStrangers(
  address: string,
  clock: Clock,
  tell: (reason: string) => void,
): (what: string) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  return (what) => {
    if (clock.now() - toldAt < STRANGERS_PAUSE_MS) {
      untold++;
      return;
    }
    toldAt = clock.now();
    const others = untold === 0 ? '' : `, and ${untold} others before it`;
    untold = 0;
    tell(
      `somebody who does not speak the protocol of ZeroMQ connected to ${address} (${what})${others}`,
    );
  };
}
