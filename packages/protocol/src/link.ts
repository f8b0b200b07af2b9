import type { Message } from './messages.js';

/** Bytes of the largest payload that every transport carries. The largest chunk follows from it. */
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;

/**
 * The contract between roles and whatever carries their messages. `@tutti/transport` implements it
 * over ZeroMQ and in memory; one compliance suite holds both to it.
 *
 * - Messages between two ends arrive in order, each once, or the connection is closed.
 * - `send` never blocks and never throws for a peer that is gone: `closed` tells.
 * - A payload passes into the transport's hands: the sender must not write to it afterwards, unless
 *   it knows that the message has arrived, or it was only `lent`. What a handler is given is valid
 *   until it returns; it must copy what it keeps, unless it said where the payload is to be `place`d.
 *   The bytes start at a multiple of four, so a Float32Array view is allowed.
 */
export interface Transport {
  /** Silence after which a peer counts as gone; a few seconds if it is not said. */
  readonly peerTimeoutMs?: number;
  /** Binds `address`; resolves when peers can connect. Port 0 picks a free one. */
  listen(address: string, handlers: ListenHandlers): Promise<Listener>;
  /**
   * Connects; keeps trying until the peer listens, refuses the key, or `connectDeadlineMs` has passed.
   */
  connect(address: string, handlers: ConnectionHandlers): Connection;
}

/** One message and the tensor bytes that travel beside it. */
export interface Envelope<M extends Message = Message> {
  readonly message: M;
  readonly payload?: Uint8Array;
  /**
   * Given if the payload is valid only while `send` runs. A transport that cannot have it on its way
   * by then sends what this gives in its place: a copy, which passes into the transport's hands.
   */
  readonly lent?: () => Uint8Array;
  /** It may wait some milliseconds for others to travel with, since nobody waits for it. */
  readonly unhurried?: boolean;
}

/** What goes with a message in its envelope. */
export type Enclosed = Omit<Envelope, 'message'>;

/**
 * Asked before a payload is read, with all that is known by then: its message and its length. What
 * it gives is read into, and handed to `message` right after, unless the read fails. Undefined leaves
 * the place to the transport. A transport that has the payload in memory anyway does not ask.
 */
export type PlacePayload = (message: Message, bytes: number) => Uint8Array | undefined;

export interface ListenHandlers {
  message(peer: string, envelope: Envelope): void;
  /** `PlacePayload`, with whom the message is from: of whoever may not say it nothing need be read. */
  place?(peer: string, message: Message, bytes: number): Uint8Array | undefined;
  /** The connection of a peer is gone; nothing more will come from it. */
  closed?(peer: string, reason: string): void;
  /** A peer sent something that is no message. It is cut off; nobody else is affected. */
  badFrame?(peer: string, reason: string): void;
  /**
   * Somebody connected and did not speak the language of this transport: it never became a peer, and
   * nobody is affected. Several in a row are told together.
   */
  stranger?(reason: string): void;
  /**
   * Nobody can connect for now, since this process or machine has no more of something, mostly of open
   * files. Those who try wait. Told once in a while for as long as it is so.
   */
  full?(error: Error): void;
}

export interface Listener {
  /** The address to connect to, with the real port. */
  readonly address: string;
  /** Sends to one peer; dropped if the peer is gone (`closed` tells). */
  send(peer: string, envelope: Envelope): void;
  /** Sends the same to several, for little more than to one. */
  broadcast(peers: readonly string[], envelope: Envelope): void;
  /** Forgets a peer: what it sends from now on is dropped. */
  disconnect(peer: string): void;
  /** Delivers what was sent, for at most `lingerMs`, then closes. */
  close(lingerMs?: number): Promise<void>;
  readonly traffic: Traffic;
}

export interface ConnectionHandlers {
  message(envelope: Envelope): void;
  readonly place?: PlacePayload;
  /** The peer has answered: messages pass now. */
  opened?(): void;
  /** An attempt to connect has failed, and there will be others. */
  unreached?(fault: ConnectFault): void;
  /**
   * Called once, when the peer is gone or could not be reached: then with the last fault.
   * Not after `close()`.
   */
  closed?(reason: string, fault?: ConnectFault): void;
}

/** Why a peer cannot be reached. */
export interface ConnectFault {
  /**
   * `name`: its name leads to no address. `route`: this machine knows no way to it. `refused`: nobody
   * listens there. `silent`: nothing answers. `foreign`: what listens there is something else.
   * `key`: it is Tutti and has another key, or only one of the two has one. That ends the connection:
   * trying again would not help.
   */
  readonly kind: 'name' | 'route' | 'refused' | 'silent' | 'foreign' | 'key';
  /** A clause with the names and numbers. */
  readonly reason: string;
  /** What the reader can do about it: one sentence or more. */
  readonly remedy: string;
}

export interface Connection {
  readonly address: string;
  send(envelope: Envelope): void;
  close(lingerMs?: number): Promise<void>;
  readonly traffic: Traffic;
}

/** Bytes that passed, frames only (headers and payloads, without the transport's own framing). */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}
