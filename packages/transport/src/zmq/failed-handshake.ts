import type { Event } from 'zeromq';
import { HANDSHAKE_MS } from '../tunables.js';

/** Why somebody who connected was not let in. */
export interface FailedHandshake {
  /** A clause. */
  readonly what: string;
  /** Whether it is about the key of the job, rather than the protocol. */
  readonly ofKey: boolean;
}

/** libzmq says nothing at all of these. */
export const UNTOLD: FailedHandshake = {
  what: `it sent something else, or hung up: no handshake within ${HANDSHAKE_MS / 1000} s`,
  ofKey: false,
};

/**
 * What became of a connection whose handshake failed.
 * @param keyed whether we listen with a key: then nobody else gets further than to fail with it
 */
export function failedHandshake(event: Event, keyed: boolean): FailedHandshake {
  const error = 'error' in event ? (event.error as NodeJS.ErrnoException) : undefined;
  if (event.type === 'handshake:error:auth' || error?.code === 'ERR_ZMTP_CRYPTOGRAPHIC')
    return { what: 'it has another key', ofKey: true };
  if (error?.code === 'ERR_ZMTP_MECHANISM_MISMATCH')
    // Noise that begins like a greeting names some mechanism, too.
    return { what: keyed ? 'it has no key' : 'its mechanism is another', ofKey: true };
  if (error?.code === 'EAGAIN')
    return { what: `it was silent: no handshake within ${HANDSHAKE_MS / 1000} s`, ofKey: false };
  // The socket's view of a connection that its other end closed: of a key that differs it may have read first.
  if (error === undefined || error.message === 'Broken pipe')
    return keyed
      ? { what: 'it has no key, sent something else, or hung up', ofKey: true }
      : { what: 'it sent something else, or hung up', ofKey: false };
  return { what: error.message, ofKey: false };
}
