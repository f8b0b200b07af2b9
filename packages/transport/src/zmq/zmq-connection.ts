import type { ConnectFault, Connection, ConnectionHandlers, Envelope } from '@tutti/protocol';
import type { Clock, Timer } from '@tutti/runtime';
import type { Event } from 'zeromq';
import { type Channel, createChannel } from '../shm/channel.js';
import { createOutbox, type Outbox } from '../shm/outbox.js';
import { bytesOf, createTraffic } from '../traffic.js';
import { FAREWELL_MS, MOST_REFUSALS, MUTE_MS } from '../tunables.js';
import { faultOfAddress } from './address.js';
import { createFrameBatcher, messagesIn } from './batch.js';
import { type Attempt, createDialler } from './dialler.js';
import { readFarewell } from './farewell.js';
import { readEnvelope } from './incoming.js';
import type { Resolve } from './resolve.js';
import {
  encodeWithin,
  kept,
  NotifiedDealer,
  observe,
  receiveAll,
  type ZmqLimits,
} from './zmq-sockets.js';

export interface ZmqConnectionInit extends ZmqLimits {
  readonly clock: Clock;
  readonly connectDeadlineMs: number;
  readonly retryMs: number;
  readonly resolve: Resolve;
  /** Whether to offer a channel; a peer on another machine does not take it up. */
  readonly sharedMemory: boolean;
}

/**
 * Every attempt to connect is a socket of its own that never reconnects, and nothing is handed to it
 * before its handshake: so messages arrive in order, or the connection is closed.
 */
export function connectZmq(
  address: string,
  handlers: ConnectionHandlers,
  init: ZmqConnectionInit,
): Connection {
  const { clock } = init;
  const traffic = createTraffic();
  let state: 'connecting' | 'open' | 'closed' = 'connecting';
  /** Set by `close`: no handler is called any more, but what was sent may still go out. */
  let abandoned = false;
  let closeLingerMs = 0;
  let giveUp: Timer | undefined;
  let waiting: Uint8Array[][] = [];
  const batcher = createFrameBatcher(
    (frames) => {
      if (dealer !== undefined && !dealer.closed) dealer.send(frames).catch(ignoreLost);
    },
    clock,
    queueMicrotask,
  );
  let dealer: NotifiedDealer | undefined;
  let ended: Promise<void> = Promise.resolve();
  let retry: Timer | undefined;
  let mute: Timer | undefined;
  let lastFault: ConnectFault | undefined;
  let lookingUp = false;
  /** For the key, in a row. */
  let refusals = 0;
  let channel: Channel | undefined;
  let outbox: Outbox | undefined;
  /** The farewell of a connection that is not known to have come about. */
  let saidBefore: string | undefined;
  const dialler = createDialler({
    address,
    resolve: init.resolve,
    clock,
    mechanism: init.keys === undefined ? 'NULL' : 'CURVE',
  });
  const deadline = clock.after(init.connectDeadlineMs, () => {
    const seconds = init.connectDeadlineMs / 1000;
    const why =
      lastFault?.reason ?? (lookingUp ? 'its name is still looked up' : 'nobody answered');
    finish(`${address} could not be reached within ${seconds} s (${why})`, lastFault);
  });
  let finished = () => {};
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });

  async function attempt(): Promise<void> {
    if (state === 'closed') return;
    const fault = faultOfAddress(address);
    if (fault !== undefined) {
      finish(`${address} cannot be connected to: ${fault}`);
      return;
    }
    lookingUp = true;
    const next = await dialler.next();
    lookingUp = false;
    // Meanwhile it may have been closed.
    if (isClosed()) return;
    if (!('endpoint' in next)) {
      unreached(next.fault, next.pauseMs);
      return;
    }
    try {
      const socket = new NotifiedDealer(next.endpoint, next.limitMs, init);
      dealer = socket;
      saidBefore = undefined;
      ended = observe(socket.events, (event) => react(socket, next, event));
      void receiveAll(socket, (frames) => receive(socket, frames));
      socket.connect(next.endpoint);
    } catch (error) {
      finish(`${address} cannot be connected to: ${(error as Error).message}`);
    }
  }

  function react(socket: NotifiedDealer, tried: Attempt, event: Event): void {
    if (socket !== dealer || state !== 'connecting') return;
    if (event.type === 'handshake') {
      open();
      if (saidBefore !== undefined) endWith(saidBefore);
      return;
    }
    if (event.type === 'connect') {
      mute?.cancel();
      mute = clock.after(MUTE_MS, () => void tried.fault('mute').then(tell));
      return;
    }
    if (event.type !== 'connect:retry' && event.type !== 'disconnect') return;
    const how = event.type === 'disconnect' ? 'hung-up' : 'not-accepted';
    mute?.cancel();
    socket.close();
    dealer = undefined;
    void tried.fault(how).then((fault) => unreached(fault, 0));
  }

  function unreached(fault: ConnectFault, pauseMs: number): void {
    tell(fault);
    refusals = fault.kind === 'key' ? refusals + 1 : 0;
    if (refusals === MOST_REFUSALS)
      finish(`${address} refuses the connection: ${fault.reason}`, fault);
    if (!isClosed()) retry = clock.after(Math.max(init.retryMs, pauseMs), () => void attempt());
  }

  function tell(fault: ConnectFault): void {
    if (state !== 'connecting') return;
    lastFault = fault;
    if (!abandoned) handlers.unreached?.(fault);
  }

  function open(): void {
    state = 'open';
    deadline.cancel();
    mute?.cancel();
    if (init.sharedMemory) {
      outbox = createOutbox();
      channel = createChannel((frame) => batcher.send([frame]));
      if (outbox !== undefined) channel.offer(outbox);
    }
    for (const frames of waiting) transmit(frames);
    waiting = [];
    if (abandoned) finish();
    else handlers.opened?.();
  }

  function transmit(frames: Uint8Array[], lent?: () => Uint8Array, unhurried = false): void {
    traffic.sentBytes += bytesOf(frames);
    const payload = channel?.accepted ? frames[1] : undefined;
    const posted = payload && outbox?.post(payload, 1);
    const read = channel?.tellRead();
    if (read !== undefined) batcher.send([read], 0, unhurried);
    if (posted !== undefined) batcher.send(channel!.refer(frames, posted), payload!.length);
    else batcher.send(kept(frames, lent), 0, unhurried);
  }

  function receive(socket: NotifiedDealer, frames: Buffer[]): void {
    if (socket !== dealer || isOver()) return;
    const reason = readFarewell(frames);
    if (reason !== undefined) {
      // What happens to the socket is told by another way, which may be behind: whether there was a
      // connection at all, or whoever listens there hung up on the handshake.
      if (state === 'connecting') saidBefore = reason;
      else endWith(reason);
      return;
    }
    let messages: Buffer[][];
    try {
      messages = messagesIn(frames);
    } catch (error) {
      finish(notOurs(error));
      return;
    }
    for (const message of messages) receiveMessage(message);
  }

  function receiveMessage(frames: Buffer[]): void {
    // The one before may have been the reason to close.
    if (isOver()) return;
    let envelope: Envelope | undefined;
    try {
      envelope = readEnvelope(frames, channel, traffic, handlers.place);
    } catch (error) {
      finish(notOurs(error));
      return;
    }
    if (envelope !== undefined) handlers.message(envelope);
  }

  const endWith = (farewell: string) => finish(farewell || `the connection to ${address} was lost`);

  const isClosed = () => state === 'closed';
  const isOver = () => isClosed() || abandoned;
  const notOurs = (error: unknown) =>
    `${address} sent no message of Tutti: ${(error as Error).message}`;

  /** Ends everything; `reason` is absent if the owner wished it. */
  function finish(reason?: string, fault?: ConnectFault): void {
    if (state === 'closed') return;
    state = 'closed';
    deadline.cancel();
    retry?.cancel();
    mute?.cancel();
    giveUp?.cancel();
    waiting = [];
    if (dealer !== undefined && !dealer.closed) {
      batcher.flush();
      dealer.linger = closeLingerMs;
      dealer.close();
    }
    channel?.close();
    outbox?.close();
    void ended.then(finished);
    if (reason !== undefined && !abandoned) handlers.closed?.(reason, fault);
  }

  // Not at once: a fault in the address must not call `closed` before the caller has the connection.
  queueMicrotask(() => void attempt());

  return {
    address,
    traffic,
    send(envelope) {
      const frames = encodeWithin(init, envelope);
      if (state === 'closed' || abandoned) return;
      if (state === 'open') transmit(frames, envelope.lent, envelope.unhurried);
      else waiting.push(kept(frames, envelope.lent));
    },
    async close(lingerMs = FAREWELL_MS) {
      if (!abandoned) {
        abandoned = true;
        closeLingerMs = lingerMs;
        if (state === 'connecting' && waiting.length > 0) {
          giveUp = clock.after(lingerMs, () => finish());
        } else finish();
      }
      await done;
    },
  };
}

/** A connection that is lost (EAGAIN: libzmq has already dropped it) is told of by `closed`. */
function ignoreLost(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EBADF' && error.code !== 'EAGAIN') throw error;
}
