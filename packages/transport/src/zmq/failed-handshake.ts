import type { Event } from 'zeromq';
import { HANDSHAKE_MS } from '../tunables.js';

/** Why somebody who connected was not let in. */
export interface FailedHandshake {
  /** A clause. */
  readonly what: string;
  /** Whether it has spoken another protocol, or has another key or none; or nobody knows, since it was gone before. */
  readonly by: 'protocol' | 'key' | 'unfinished';
}

/** libzmq says nothing at all of these. */
export const UNTOLD: FailedHandshake = {
  what: `it sent something else, or hung up: no handshake within ${HANDSHAKE_MS / 1000} s`,
  by: 'unfinished',
};

/**
 * What became of a connection whose handshake failed.
 * @param keyed whether we listen with a key: then nobody else gets further than to fail with it
 */
export function failedHandshake(event: Event, keyed: boolean): FailedHandshake {
  const error = 'error' in event ? (event.error as NodeJS.ErrnoException) : undefined;
  if (event.type === 'handshake:error:auth' || error?.code === 'ERR_ZMTP_CRYPTOGRAPHIC')
    return { what: 'it has another key', by: 'key' };
  if (error?.code === 'ERR_ZMTP_MECHANISM_MISMATCH')
    // Noise that begins like a greeting names some mechanism, too.
    return { what: keyed ? 'it has no key' : 'its mechanism is another', by: 'key' };
  if (error?.code === 'EAGAIN')
    return {
      what: `it was silent: no handshake within ${HANDSHAKE_MS / 1000} s`,
      by: 'unfinished',
    };
  // The socket's view of a connection that its other end closed: of a key that differs it may have read first, and a
  // peer of the job is gone when this process has stood still for longer than that waited.
  if (error === undefined || error.message === 'Broken pipe')
    return {
      what: `it ${keyed ? 'has no key, ' : ''}sent something else, or hung up, as a peer does that has waited too long`,
      by: 'unfinished',
    };
  return { what: error.message, by: 'protocol' };
}
