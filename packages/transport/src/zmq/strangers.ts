import { type Clock, createGathering } from '@tutti/runtime';
import { STRANGERS_PAUSE_MS } from '../tunables.js';
import type { FailedHandshake } from './failed-handshake.js';

/**
 * Tells of connections that end before their handshake: the first at once, later ones together with
 * the next after a pause; those who speak our protocol and have not our key apart from others, and those of whom nobody knows.
 * @returns to be called with each
 */
export function createStrangers(
  init: { readonly address: string; readonly keyed: boolean; readonly clock: Clock },
  tell: (reason: string) => void,
): (failed: FailedHandshake) => void {
  const { address, keyed, clock } = init;
  const who: Record<FailedHandshake['by'], string> = {
    protocol: 'somebody who does not speak the protocol of ZeroMQ',
    key: keyed
      ? 'somebody who does not have the key of this job'
      : 'somebody who has a key where this job has none, or does not speak the protocol of ZeroMQ',
    unfinished: keyed
      ? 'somebody who has not shown the key of this job'
      : 'somebody who has not shown that it speaks the protocol of ZeroMQ',
  };
  const gathering = createGathering({ clock, atOnce: 1, periodMs: STRANGERS_PAUSE_MS });
  return ({ what, by }) =>
    gathering(by, (others) => tell(`${who[by]} connected to ${address} (${what})${others}`));
}
