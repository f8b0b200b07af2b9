import { connect } from 'node:net';
import type { Clock } from '@tutti/runtime';
import { GREETING_MS } from '../tunables.js';
import { hostAndPort } from './address.js';

/** How a process shows that it may connect: by the key of the job, or not at all. */
export type Mechanism = 'CURVE' | 'NULL';

const GREETING_BYTES = 64;
/** Its signature and version: whoever has read them sends all of its own. */
const FIRST_BYTES = 12;
/** Where the name of the mechanism stands. */
const MECHANISM_AT = 12;
const MECHANISM_BYTES = 20;

/**
 * Asks what listens at an endpoint for its mechanism. libzmq does not tell why the other side hung up
 * on it, and often has not even read so much when it does.
 *
 * @param endpoint with a numeric host, or `ipc://`
 * @param own goes into our greeting, so that the other side can say the same of us
 * @returns undefined if it does not speak ZMTP 3 (rfc.zeromq.org/spec/23)
 */
export function mechanismAt(
  endpoint: string,
  own: Mechanism,
  clock: Clock,
): Promise<Mechanism | undefined> {
  const place = hostAndPort(endpoint);
  const socket =
    place === undefined
      ? connect(endpoint.slice('ipc://'.length))
      : connect(Number(place.port), place.host);
  let heard = Buffer.alloc(0);
  return new Promise((resolve) => {
    const greeting = greetingOf(own);
    const end = () => {
      limit.cancel();
      socket.destroy();
      resolve(mechanismIn(heard));
    };
    const limit = clock.after(GREETING_MS, end);
    // Not all at once: it would hang up for our mechanism before it has said its own.
    socket.on('connect', () => socket.write(greeting.subarray(0, FIRST_BYTES)));
    socket.on('data', (bytes) => {
      if (heard.length >= GREETING_BYTES) return;
      heard = Buffer.concat([heard, bytes]);
      if (heard.length >= GREETING_BYTES) socket.end(greeting.subarray(FIRST_BYTES), end);
    });
    socket.on('error', end);
    socket.on('close', end);
  });
}

function greetingOf(mechanism: Mechanism): Buffer {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting[0] = 0xff;
  greeting[9] = 0x7f;
  greeting[10] = 3;
  greeting.write(mechanism, MECHANISM_AT, 'latin1');
  return greeting;
}

function mechanismIn(greeting: Buffer): Mechanism | undefined {
  if (greeting.length < GREETING_BYTES || greeting[0] !== 0xff || greeting[10]! < 3)
    return undefined;
  const name = greeting.toString('latin1', MECHANISM_AT, MECHANISM_AT + MECHANISM_BYTES);
  const [mechanism] = name.split('\0');
  return mechanism === 'CURVE' || mechanism === 'NULL' ? mechanism : undefined;
}
