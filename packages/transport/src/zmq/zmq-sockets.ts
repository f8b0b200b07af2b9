import { type Envelope, encode, MAX_HEADER_BYTES } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import { Dealer, type Event, type Observer, Router, type Socket } from 'zeromq';
import type { CurveKeys } from '../key/job-key.js';
import { BACKLOG, HANDSHAKE_MS } from '../tunables.js';
import { farewell } from './farewell.js';
import { guardedContext } from './zap.js';

/** What both ends of a ZeroMQ link must agree on, with everything filled in. */
export interface ZmqLimits {
  readonly maxPayloadBytes: number;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  /** With them all traffic is encrypted, and only who has them takes part. */
  readonly keys: CurveKeys | undefined;
}

/** What CURVE adds to a frame: its command name, a short nonce, flags and the authenticator. */
const CURVE_OVERHEAD_BYTES = 64;

// From libzmq's draft API, which the builds on npm contain and zeromq.js does not name.
const ZMQ_ROUTER_NOTIFY = 97;
const ZMQ_NOTIFY_DISCONNECT = 2;
const ZMQ_HICCUP_MSG = 114;

/** Long enough to mean never: a lost connection must not come back with messages missing. */
const NEVER_MS = 1_000_000_000;

function socketOptions(address: string, limits: ZmqLimits) {
  return {
    linger: 0,
    // A send is then done, or has failed, on return: nothing queues up in JavaScript.
    sendTimeout: 0,
    // No message is dropped or held back. The roles bound what is under way.
    sendHighWaterMark: 0,
    receiveHighWaterMark: 0,
    // Per frame. libzmq ends the connection of a peer that exceeds it, before allocating.
    maxMessageSize:
      Math.max(limits.maxPayloadBytes, MAX_HEADER_BYTES) +
      (limits.keys === undefined ? 0 : CURVE_OVERHEAD_BYTES),
    heartbeatInterval: limits.heartbeatMs,
    heartbeatTimeout: limits.timeoutMs,
    heartbeatTimeToLive: limits.timeoutMs,
    // With it, `*` means the interfaces of IPv4 too.
    ipv6: address.includes('[') || address.startsWith('tcp://*:'),
  };
}

/** The options of whoever listens: see `guard` for whom it lets in. */
function serverOptions({ keys }: ZmqLimits) {
  if (keys === undefined) return {};
  return {
    context: guardedContext(),
    curveServer: true,
    curvePublicKey: keys.server.publicKey,
    curveSecretKey: keys.server.secretKey,
    zapDomain: keys.domain,
    // Without a handler nobody is let in, rather than everybody.
    zapEnforceDomain: true,
  };
}

function clientOptions({ keys }: ZmqLimits) {
  if (keys === undefined) return {};
  return {
    curveServerKey: keys.server.publicKey,
    curvePublicKey: keys.client.publicKey,
    curveSecretKey: keys.client.secretKey,
  };
}

/** A ROUTER that reads `[id, '']` behind the last message of a peer that is gone. */
export class NotifiedRouter extends Router {
  constructor(address: string, limits: ZmqLimits) {
    const handshakeInterval = HANDSHAKE_MS;
    super({
      ...socketOptions(address, limits),
      ...serverOptions(limits),
      mandatory: true,
      backlog: BACKLOG,
      handshakeInterval,
    });
    needDraft(() => this.setInt32Option(ZMQ_ROUTER_NOTIFY, ZMQ_NOTIFY_DISCONNECT));
  }
}

/** A DEALER that reads a farewell behind the last message when its connection is lost. */
export class NotifiedDealer extends Dealer {
  /** @param connectTimeout milliseconds */
  constructor(address: string, connectTimeout: number, limits: ZmqLimits) {
    const reconnectInterval = NEVER_MS;
    super({
      ...socketOptions(address, limits),
      ...clientOptions(limits),
      reconnectInterval,
      connectTimeout,
    });
    needDraft(() => this.setStringOption(ZMQ_HICCUP_MSG, farewell('')));
  }
}

function needDraft(set: () => void): void {
  try {
    set();
  } catch (cause) {
    throw new TuttiError('INTERNAL', 'This build of zeromq lacks the draft API of libzmq.', {
      remedy: 'Install the zeromq package with its own binary: npm rebuild zeromq.',
      cause,
    });
  }
}

/** Calls `each` with every message until the socket is closed. */
export async function receiveAll(
  socket: Socket & { receive(): Promise<Buffer[]> },
  each: (frames: Buffer[]) => void,
): Promise<void> {
  while (!socket.closed) {
    let frames: Buffer[];
    try {
      frames = await socket.receive();
    } catch (error) {
      if (socket.closed) return;
      throw error;
    }
    each(frames);
  }
}

/** Calls `each` with every event; resolves when the socket has closed and let go of its address. */
export async function observe(observer: Observer, each: (event: Event) => void): Promise<void> {
  while (!observer.closed) {
    const event: Event | undefined = await observer.receive();
    if (event === undefined || event.type === 'end') return;
    each(event);
  }
}

/** @throws TuttiError INTERNAL if the message is none, or its payload over the limit. */
export function encodeWithin(limits: ZmqLimits, envelope: Envelope): Uint8Array[] {
  const bytes = envelope.payload?.length ?? 0;
  if (bytes > limits.maxPayloadBytes) {
    throw new TuttiError(
      'INTERNAL',
      `The payload of message ${envelope.message.type} has ${bytes} bytes, over the limit of ${limits.maxPayloadBytes}.`,
      { remedy: 'Use smaller chunks, or raise maxPayloadBytes on all sides.' },
    );
  }
  return encode(envelope);
}

/** The frames of a message whose payload may be lent, for a socket that reads them after `send`. */
export function kept(frames: Uint8Array[], lent: (() => Uint8Array) | undefined): Uint8Array[] {
  return lent === undefined ? frames : [frames[0]!, lent()];
}

/** Below this size libzmq hands out slices of its receive buffer (8 KiB), at any address. */
const SLICED_BYTES = 8192;

/**
 * A payload as the contract promises it: a plain Uint8Array, at a multiple of four. Large frames
 * have memory of their own and are not copied. Small ones are: their alignment does not show in
 * `byteOffset`, and each would keep a whole receive buffer alive.
 */
export function ownPayload(frames: Uint8Array[]): Uint8Array[] {
  const payload = frames[1];
  if (payload === undefined) return frames;
  frames[1] =
    payload.length <= SLICED_BYTES
      ? new Uint8Array(payload)
      : new Uint8Array(payload.buffer, payload.byteOffset, payload.length);
  return frames;
}
