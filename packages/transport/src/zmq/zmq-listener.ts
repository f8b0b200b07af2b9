import type { Envelope, Listener, ListenHandlers } from '@tutti/protocol';
import { type Clock, createGathering } from '@tutti/runtime';
import { type Channel, createChannel } from '../shm/channel.js';
import { createOutbox, type Outbox } from '../shm/outbox.js';
import { bytesOf, createTraffic } from '../traffic.js';
import { FAREWELL_MS, LIMIT_PAUSE_MS } from '../tunables.js';
import { createFrameBatcher, type FrameBatcher, messagesIn } from './batch.js';
import { refuseExposure } from './exposure.js';
import { type FailedHandshake, failedHandshake, UNTOLD } from './failed-handshake.js';
import { farewell } from './farewell.js';
import { createHandshakes } from './handshakes.js';
import { readEnvelope } from './incoming.js';
import type { Resolve } from './resolve.js';
import { createStrangers } from './strangers.js';
import { guard } from './zap.js';
import { bindFirst, endpointsOf } from './zmq-bind.js';
import {
  encodeWithin,
  kept,
  NotifiedRouter,
  observe,
  receiveAll,
  type ZmqLimits,
} from './zmq-sockets.js';

interface Peer {
  readonly name: string;
  /** The id that the ROUTER gave to the connection. */
  readonly id: Buffer;
  cut: boolean;
  readonly channel: Channel;
  readonly batcher: FrameBatcher;
}

export async function listenZmq(
  wanted: string,
  handlers: ListenHandlers,
  limits: ZmqLimits & {
    readonly clock: Clock;
    readonly resolve: Resolve;
    readonly insecure: boolean;
  },
): Promise<Listener> {
  const { keys } = limits;
  let stranger = (_: FailedHandshake) => {};
  const handshakes = createHandshakes(limits.clock, () => stranger(UNTOLD));
  const seldom = createGathering({ clock: limits.clock, atOnce: 1, periodMs: LIMIT_PAUSE_MS });
  const endpoints = await endpointsOf(wanted, limits.resolve);
  if (keys === undefined && !limits.insecure) refuseExposure(wanted, endpoints);
  // Before anybody can connect.
  const leaveUnguarded = keys === undefined ? () => {} : await guard(keys);
  const { router, ended } = await bindFirst(wanted, endpoints, (endpoint) => {
    const router = new NotifiedRouter(endpoint, limits);
    const ended = observe(router.events, (event) => {
      if (event.type === 'accept') handshakes.accepted();
      // libzmq tries again at once, so there are thousands of these.
      if (event.type === 'accept:error') seldom('', () => handlers.full?.(event.error));
      if (event.type.startsWith('handshake')) handshakes.ended();
      if (event.type.startsWith('handshake:error'))
        stranger(failedHandshake(event, keys !== undefined));
    });
    return { router, ended };
  }).catch((error) => {
    leaveUnguarded();
    throw error;
  });
  const freed = ended.then(leaveUnguarded);
  const address = router.lastEndpoint ?? wanted;
  stranger = createStrangers(
    { address, keyed: keys !== undefined, clock: limits.clock },
    (reason) => handlers.stranger?.(reason),
  );
  const traffic = createTraffic();
  const byId = new Map<string, Peer>();
  const byName = new Map<string, Peer>();
  let named = 0;
  /** Made for the first peer on this machine. */
  let outbox: Outbox | undefined;

  function peerOf(id: Buffer): Peer {
    const key = id.toString('latin1');
    let peer = byId.get(key);
    if (peer === undefined) {
      const batcher = createFrameBatcher((frames) => {
        if (!router.closed) router.send([id, ...frames]).catch(ignoreGone);
      }, limits.clock);
      const channel = createChannel(
        (frame) => batcher.send([frame]),
        () => {
          outbox ??= createOutbox();
          if (outbox !== undefined) channel.offer(outbox);
        },
      );
      peer = { name: `peer-${++named}`, id, cut: false, channel, batcher };
      byId.set(key, peer);
      byName.set(peer.name, peer);
    }
    return peer;
  }

  function gone(id: Buffer): void {
    const key = id.toString('latin1');
    const peer = byId.get(key);
    if (peer === undefined) return;
    byId.delete(key);
    byName.delete(peer.name);
    peer.channel.close();
    if (!peer.cut) handlers.closed?.(peer.name, `the connection to ${address} was lost`);
  }

  function cutOff(peer: Peer, reason: string): void {
    peer.cut = true;
    byName.delete(peer.name);
    peer.channel.close();
    peer.batcher.flush();
    router.send([peer.id, farewell(reason)]).catch(ignoreGone);
  }

  function receive(frames: Buffer[]): void {
    // Read before its owner closed it.
    if (router.closed) return;
    const id = frames.shift()!;
    // libzmq's own notice; a peer that sends an empty message leaves in the same way.
    if (frames.length === 1 && frames[0]!.length === 0) {
      gone(id);
      return;
    }
    const peer = peerOf(id);
    if (peer.cut) return;
    let messages: Buffer[][];
    try {
      messages = messagesIn(frames);
    } catch (error) {
      reject(peer, error);
      return;
    }
    for (const message of messages) receiveMessage(peer, message);
  }

  function receiveMessage(peer: Peer, frames: Buffer[]): void {
    // The one before may have been the reason to close.
    if (peer.cut || router.closed) return;
    let envelope: Envelope | undefined;
    try {
      envelope = readEnvelope(frames, peer.channel, traffic, (message, bytes) =>
        handlers.place?.(peer.name, message, bytes),
      );
    } catch (error) {
      reject(peer, error);
      return;
    }
    if (envelope !== undefined) handlers.message(peer.name, envelope);
  }

  function broadcast(names: readonly string[], envelope: Envelope): void {
    const frames = encodeWithin(limits, envelope);
    const peers = names.flatMap((name) => byName.get(name) ?? []);
    if (peers.length === 0 || router.closed) return;
    const payload = frames[1];
    const { unhurried } = envelope;
    const readers = peers.filter(({ channel }) => channel.accepted).length;
    const posted = payload && outbox?.post(payload, readers);
    let whole: Uint8Array[] | undefined;
    for (const { channel, batcher } of peers) {
      traffic.sentBytes += bytesOf(frames);
      const read = channel.tellRead();
      if (read !== undefined) batcher.send([read], 0, unhurried);
      if (posted && channel.accepted) batcher.send(channel.refer(frames, posted), payload!.length);
      else {
        whole ??= kept(frames, envelope.lent);
        batcher.send(whole, 0, unhurried);
      }
    }
  }

  /** What it sent is no message: nothing more is taken from it. */
  function reject(peer: Peer, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    cutOff(peer, `${address} cut it off: ${reason}`);
    handlers.badFrame?.(peer.name, reason);
    handlers.closed?.(peer.name, `it was cut off: ${reason}`);
  }

  void receiveAll(router, receive);

  return {
    address,
    traffic,
    send: (name, envelope) => broadcast([name], envelope),
    broadcast,
    disconnect(name) {
      const peer = byName.get(name);
      if (peer !== undefined && !router.closed) cutOff(peer, `${address} closed the connection`);
    },
    async close(lingerMs = FAREWELL_MS) {
      handshakes.close();
      if (!router.closed) {
        for (const { batcher } of byName.values()) batcher.flush();
        router.linger = lingerMs;
        router.close();
        for (const { channel } of byName.values()) channel.close();
        outbox?.close();
      }
      await freed;
    },
  };
}

/** A peer that is gone is told of by `closed`, in order; whatever else fails is a fault of ours. */
function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EHOSTUNREACH' && error.code !== 'EBADF') throw error;
}
