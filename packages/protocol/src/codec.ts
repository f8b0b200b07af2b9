import { isRecord, TuttiError } from '@tutti/runtime';
import { Packr, Unpackr } from 'msgpackr';
import { formats, stamp } from './fields.js';
import type { Envelope } from './link.js';
import { type Message, PROTOCOL_VERSION } from './messages.js';
import { plainError } from './plain.js';
import { findFault } from './scan.js';

/** Bytes of the longest header; `join`, `welcome` and `open` list every stored parameter. */
export const MAX_HEADER_BYTES = 1024 * 1024;

// `skipValues` is missing from msgpackr's types. Without it an absent field would be an extension.
const packr = new Packr({ useRecords: false, skipValues: [undefined] } as { useRecords: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

/**
 * The frames of one message: `[header]` or `[header, payload]`. The payload is passed on as it is.
 *
 * @throws TuttiError INTERNAL if the message is not one that `decode` would accept.
 */
export function encode(envelope: Envelope): Uint8Array[] {
  checkSendable(envelope);
  const { message, payload } = envelope;
  const header = packr.pack(withPlainError(message));
  if (header.length > MAX_HEADER_BYTES) {
    throw unsendable(message, `'s header has ${header.length} bytes, over ${MAX_HEADER_BYTES}`);
  }
  return payload === undefined ? [header] : [header, payload];
}

/** What `encode` checks, for a transport within one process that encodes nothing. */
export function checkSendable({ message, payload }: Envelope): void {
  const format = formats.get(message.type);
  if (format === undefined) throw unsendable(message, `'s type is unknown`);
  const fault =
    stamp(message) ?? format.body(message) ?? payloadFault(format.payload, payload?.length);
  if (fault !== undefined) throw unsendable(message, fault);
}

function withPlainError(message: Message): Message {
  return 'error' in message && message.error !== undefined
    ? { ...message, error: plainError(message.error) }
    : message;
}

/**
 * The message in these frames. All fields of all types are checked, so that the receiver can trust
 * them. The payload is not copied.
 *
 * From a message of another protocol version only `type` and the stamp are kept, since nothing else
 * is known of it: look at `protocol` before anything else.
 *
 * @throws TuttiError BAD_FRAME for anything else than one whole message.
 */
export function decode(frames: readonly Uint8Array[]): Envelope {
  const [header, payload] = frames;
  if (header === undefined || frames.length > 2) {
    throw badFrame(`${frames.length} frames instead of 1 or 2`);
  }
  const message = decodeHeader(header, payload?.length);
  if (payload === undefined || message.protocol !== PROTOCOL_VERSION) return { message };
  return { message, payload };
}

/**
 * As `decode`, of a message whose payload is still to be read.
 * @param payloadBytes its length; undefined if there is none
 */
export function decodeHeader(header: Uint8Array, payloadBytes: number | undefined): Message {
  if (header.length > MAX_HEADER_BYTES) {
    throw badFrame(`a header of ${header.length} bytes, over the limit of ${MAX_HEADER_BYTES}`);
  }
  const damage = findFault(header);
  if (damage !== undefined) throw badFrame(`no msgpack message: ${damage}`);
  const message = unpack(header);
  if (!isRecord(message)) throw badFrame('no message: the header is no map');
  const stampFault = stamp(message);
  if (stampFault !== undefined) throw badFrame(`no message: ${stampFault.slice(1)}`);
  if (message.protocol !== PROTOCOL_VERSION) return foreign(message);
  const format = formats.get(message.type as string);
  if (format === undefined) {
    throw badFrame(`a message of unknown type ${JSON.stringify(message.type)?.slice(0, 40)}`);
  }
  const fault = format.body(message) ?? payloadFault(format.payload, payloadBytes);
  if (fault !== undefined) throw badFrame(`a bad message: ${message.type}${fault}`);
  return message as unknown as Message;
}

function unpack(header: Uint8Array): unknown {
  try {
    return unpackr.unpack(header);
  } catch (error) {
    throw badFrame('no msgpack message', error);
  }
}

function foreign(message: Record<string, unknown>): Message {
  const { type, protocol, job, session } = message;
  return { type: String(type), protocol, job, session } as Message;
}

function payloadFault(expected: boolean, bytes: number | undefined): string | undefined {
  if (!expected) return bytes === undefined ? undefined : ' must not have a payload';
  if (bytes === undefined) return ' has no payload';
  return bytes % 4 === 0
    ? undefined
    : ` has a payload of ${bytes} bytes, which is no whole number of float32 values`;
}

function badFrame(what: string, cause?: unknown): TuttiError {
  return new TuttiError('BAD_FRAME', `Received ${what}.`, {
    remedy: 'Check that nothing but Tutti processes of one version connects to this address.',
    cause,
  });
}

function unsendable(message: Message, fault: string): TuttiError {
  return new TuttiError('INTERNAL', `Message ${message.type}${fault}, so it cannot be sent.`, {
    remedy: 'This is a fault in Tutti or in the program; the stack shows where.',
  });
}
