import { type Clock, createGathering } from '@tutti/runtime';
import { STRANGERS_PAUSE_MS } from '../tunables.js';
import type { FailedHandshake } from './failed-handshake.js';

/**
 * Tells of connections that end before their handshake: the first at once, later ones together with
 * the next after a pause; apart from those, whoever speaks our protocol and has not our key.
 * @returns to be called with each
 */
export function createStrangers(
  init: { readonly address: string; readonly keyed: boolean; readonly clock: Clock },
  tell: (reason: string) => void,
): (failed: FailedHandshake) => void {
  const { address, keyed, clock } = init;
  const strangers = gather('somebody who does not speak the protocol of ZeroMQ');
  const outsiders = gather(
    keyed
      ? 'somebody who does not have the key of this job'
      : 'somebody who has a key where this job has none, or does not speak the protocol of ZeroMQ',
  );

  function gather(who: string): (what: string) => void {
    const gathering = createGathering({ clock, atOnce: 1, periodMs: STRANGERS_PAUSE_MS });
    return (what) =>
      gathering('', (others) => tell(`${who} connected to ${address} (${what})${others}`));
  }

  return ({ what, ofKey }) => (ofKey ? outsiders : strangers)(what);
}
