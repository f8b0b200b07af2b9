import {
  type ConnectionHandlers,
  checkSendable,
  type Envelope,
  type ListenHandlers,
  type Transport,
} from '@tutti/protocol';
import { type Clock, systemClock } from '@tutti/runtime';
import { FAREWELL_MS, MESSAGE_BYTES } from '../tunables.js';
import { createBandwidth } from './bandwidth.js';
import { createDelayLine } from './delay-line.js';
import type { NetworkLimits } from './network-limits.js';

/**
 * A transport whose messages take the time that they would take on another network: those that this
 * process sends share the way out, those that it gets share the way in. Each message is delayed once, by
 * its sender. It stands for what a network card does, so payloads in shared memory count as well; what
 * goes inside the process does not, unless its transport is shaped too.
 *
 * Signs of life, handshakes and the end of a connection are those of the transport underneath.
 */
export function createShapedTransport(
  inner: Transport,
  { bitsPerSecond, delayMs = 0 }: NetworkLimits,
  clock: Clock = systemClock,
): Transport {
  const wayOut = createBandwidth(bitsPerSecond);
  const wayIn = createBandwidth(bitsPerSecond);
  const leaving = createDelayLine(clock);
  const coming = createDelayLine(clock);

  /** When what is sent now is at the other end, behind all that was sent before. */
  const sentBy = (bytes: number) => wayOut.leaves(bytes, clock.now()) + delayMs;

  function post(envelope: Envelope, send: (envelope: Envelope) => void) {
    checkSendable(envelope);
    const due = sentBy(bytesOf(envelope));
    const kept = leaving.isNow(due) ? envelope : keep(envelope, envelope.lent);
    leaving.at(due, () => send(kept));
  }

  function take(envelope: Envelope, hear: (envelope: Envelope) => void) {
    const due = wayIn.arrives(bytesOf(envelope), clock.now());
    const { payload } = envelope;
    // It is valid only until this returns.
    const kept = coming.isNow(due) ? envelope : keep(envelope, payload && (() => payload.slice()));
    coming.at(due, () => hear(kept));
  }

  /** After whatever came before it. */
  const inTurn = (task: () => void) => coming.at(wayIn.arrives(0, clock.now()), task);

  /** Resolves once all has left that was sent by now, or after `lingerMs`. */
  function passed(lingerMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.after(lingerMs, resolve);
      leaving.at(sentBy(0), () => {
        timer.cancel();
        resolve();
      });
    });
  }

  return {
    ...(inner.peerTimeoutMs === undefined ? {} : { peerTimeoutMs: inner.peerTimeoutMs }),

    // Of where a payload would be read to nobody is asked: it is not handled as it comes.
    async listen(address, { message, closed, place: _, ...others }: ListenHandlers) {
      /** Those that nothing is taken from any more. */
      const dropped = new Set<string>();
      let over = false;
      const listener = await inner.listen(address, {
        ...others,
        message: (peer, envelope) =>
          take(envelope, (kept) => !over && !dropped.has(peer) && message(peer, kept)),
        closed: (peer, reason) =>
          inTurn(() => {
            dropped.delete(peer);
            if (!over) closed?.(peer, reason);
          }),
      });
      const sendTo = (peer: string, envelope: Envelope) => {
        if (!over) post(envelope, (kept) => listener.send(peer, kept));
      };
      return {
        address: listener.address,
        traffic: listener.traffic,
        send: sendTo,
        broadcast(peers, envelope) {
          const shared = copiedOnce(envelope);
          for (const peer of peers) sendTo(peer, shared);
        },
        disconnect(peer) {
          dropped.add(peer);
          leaving.at(sentBy(0), () => listener.disconnect(peer));
        },
        async close(lingerMs = FAREWELL_MS) {
          over = true;
          await passed(lingerMs);
          await listener.close(lingerMs);
        },
      };
    },

    connect(address, { message, opened, closed, place: _, ...others }: ConnectionHandlers) {
      let over = false;
      const connection = inner.connect(address, {
        ...others,
        message: (envelope) => take(envelope, (kept) => !over && message(kept)),
        opened: () => inTurn(() => !over && opened?.()),
        closed: (reason, fault) => inTurn(() => !over && closed?.(reason, fault)),
      });
      return {
        address: connection.address,
        traffic: connection.traffic,
        send(envelope) {
          if (!over) post(envelope, (kept) => connection.send(kept));
        },
        async close(lingerMs = FAREWELL_MS) {
          over = true;
          await passed(lingerMs);
          await connection.close(lingerMs);
        },
      };
    },
  };
}

const bytesOf = ({ payload }: Envelope) => MESSAGE_BYTES + (payload?.byteLength ?? 0);

/** The same, of whose payload all who keep it have one copy. */
function copiedOnce(envelope: Envelope): Envelope {
  const { lent } = envelope;
  if (lent === undefined) return envelope;
  let copy: Uint8Array | undefined;
  return {
    ...envelope,
    lent() {
      copy ??= lent();
      return copy;
    },
  };
}

/** The envelope with a payload that stays, if it is one that does not. */
function keep(envelope: Envelope, copy: (() => Uint8Array) | undefined): Envelope {
  return copy === undefined ? envelope : { message: envelope.message, payload: copy() };
}
