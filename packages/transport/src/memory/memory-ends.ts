import type {
  Connection,
  ConnectionHandlers,
  Envelope,
  Listener,
  ListenHandlers,
} from '@tutti/protocol';
import type { Clock, Timer } from '@tutti/runtime';
import { createTraffic, type TrafficCounter } from '../traffic.js';
import { FAREWELL_MS } from '../tunables.js';
import type { Parcel, Wrap } from './memory-link.js';
import type { Pipe } from './memory-pipe.js';

export interface EndInit {
  readonly host: string;
  readonly address: string;
  readonly clock: Clock;
  readonly wrap: Wrap;
}

/** A connection as the network sees it. */
export interface ConnectionEnd extends Connection {
  readonly host: string;
  /** Absent until it is accepted. */
  pipes: { readonly up: Pipe; readonly down: Pipe } | undefined;
  accepted(listener: ListenerEnd, peer: string, up: Pipe, down: Pipe): void;
  post(parcel: Parcel): void;
  arrive(parcel: Parcel): void;
  /** The connection is over; the owner learns of it if there is a reason and it did not close. */
  finish(reason?: string): void;
  /** Its host is gone: no handler is called any more. */
  vanish(): void;
  over(): boolean;
}

/** A listener as the network sees it. */
export interface ListenerEnd extends Listener {
  readonly host: string;
  readonly peers: Map<string, ConnectionEnd>;
  arrive(peer: string, parcel: Parcel): void;
  lost(peer: string, reason: string): void;
  /** Its host is gone: no handler is called any more. */
  vanish(): void;
  over(): boolean;
}

export function createConnectionEnd(
  init: EndInit,
  handlers: ConnectionHandlers,
  connectDeadlineMs: number,
): ConnectionEnd {
  const { clock, wrap, address } = init;
  const traffic: TrafficCounter = createTraffic();
  let waiting: Parcel[] = [];
  let closing = false;
  let over = false;
  let lingering: Timer | undefined;
  let reach: ((parcel: Parcel) => void) | undefined;
  let sayGoodbye = () => {};
  let resolveDone = () => {};
  const done = new Promise<void>((resolve) => {
    resolveDone = resolve;
  });
  const deadline = clock.after(connectDeadlineMs, () => {
    end.finish(`${address} could not be reached within ${connectDeadlineMs / 1000} s`);
  });

  function transmit(parcel: Parcel): void {
    traffic.sentBytes += parcel.bytes;
    reach!(parcel);
  }

  const end: ConnectionEnd = {
    host: init.host,
    address,
    traffic,
    pipes: undefined,
    over: () => over,
    accepted(listener, peer, up, down) {
      end.pipes = { up, down };
      deadline.cancel();
      listener.peers.set(peer, end);
      reach = (parcel) => up.push(() => listener.arrive(peer, parcel));
      sayGoodbye = () =>
        up.push(() => {
          listener.lost(peer, `the connection to ${address} was closed by the peer`);
          end.finish();
        });
      waiting.forEach(transmit);
      waiting = [];
      if (closing) sayGoodbye();
    },
    arrive(parcel) {
      if (over || closing) return;
      traffic.receivedBytes += parcel.bytes;
      let envelope: Envelope;
      try {
        envelope = parcel.open(handlers.place);
      } catch (error) {
        sayGoodbye();
        end.finish(`${address} sent no message of Tutti: ${(error as Error).message}`);
        return;
      }
      handlers.message(envelope);
      parcel.spoil();
    },
    finish(reason) {
      if (over) return;
      over = true;
      deadline.cancel();
      lingering?.cancel();
      waiting = [];
      resolveDone();
      if (reason !== undefined && !closing) handlers.closed?.(reason);
    },
    vanish() {
      closing = true;
      end.finish();
    },
    send(envelope) {
      end.post(wrap(envelope)());
    },
    post(parcel) {
      if (over || closing) return;
      if (reach === undefined) waiting.push(parcel);
      else transmit(parcel);
      parcel.sent?.();
    },
    async close(lingerMs = FAREWELL_MS) {
      if (!over && !closing) {
        closing = true;
        if (reach === undefined && waiting.length === 0) end.finish();
        else {
          sayGoodbye();
          lingering = clock.after(lingerMs, () => {
            end.pipes?.up.drop(0);
            sayGoodbye();
            end.finish();
          });
        }
      }
      await done;
    },
  };
  return end;
}

export function createListenerEnd(
  init: EndInit,
  handlers: ListenHandlers,
  unbind: (listener: ListenerEnd) => void,
): ListenerEnd {
  const { clock, wrap, address } = init;
  const traffic = createTraffic();
  /** Peers that sent something and are not cut off: nobody else is known to the owner. */
  const known = new Set<string>();
  const cut = new Set<string>();
  let over = false;
  let closed: Promise<void> | undefined;

  function cutOff(peer: string, reason: string): void {
    known.delete(peer);
    cut.add(peer);
    const connection = end.peers.get(peer);
    connection?.pipes?.down.push(() => connection.finish(reason));
  }

  /** Calls `done` when all that was sent before has arrived, or `lingerMs` is over. */
  function sayGoodbye(connection: ConnectionEnd, lingerMs: number, done: () => void): void {
    const down = connection.pipes!.down;
    const goodbye = () => {
      lingering.cancel();
      connection.finish(`the connection to ${address} was closed by the listener`);
      done();
    };
    const lingering = clock.after(lingerMs, () => {
      down.drop(0);
      down.push(goodbye);
      // It may be cut: nobody waits for that.
      done();
    });
    down.push(goodbye);
  }

  const end: ListenerEnd = {
    host: init.host,
    address,
    traffic,
    peers: new Map(),
    over: () => over,
    arrive(peer, parcel) {
      if (over || cut.has(peer)) return;
      known.add(peer);
      traffic.receivedBytes += parcel.bytes;
      let envelope: Envelope;
      try {
        envelope = parcel.open((message, bytes) => handlers.place?.(peer, message, bytes));
      } catch (error) {
        const reason = (error as Error).message;
        cutOff(peer, `${address} cut it off: ${reason}`);
        handlers.badFrame?.(peer, reason);
        handlers.closed?.(peer, `it was cut off: ${reason}`);
        return;
      }
      handlers.message(peer, envelope);
      parcel.spoil();
    },
    lost(peer, reason) {
      end.peers.delete(peer);
      cut.delete(peer);
      if (known.delete(peer) && !over) handlers.closed?.(peer, reason);
    },
    vanish() {
      over = true;
      unbind(end);
    },
    broadcast(peers, envelope) {
      const parcelFor = wrap(envelope);
      for (const peer of peers) {
        const connection = end.peers.get(peer);
        if (over || !known.has(peer) || connection?.pipes === undefined) continue;
        const parcel = parcelFor();
        traffic.sentBytes += parcel.bytes;
        connection.pipes.down.push(() => connection.arrive(parcel));
        parcel.sent?.();
      }
    },
    send: (peer, envelope) => end.broadcast([peer], envelope),
    disconnect(peer) {
      if (!over && known.has(peer)) cutOff(peer, `${address} closed the connection`);
    },
    close(lingerMs = FAREWELL_MS) {
      closed ??= new Promise((resolve) => {
        end.vanish();
        let left = 1;
        const oneLess = () => {
          if (--left === 0) resolve();
        };
        const once = () => {
          let called = false;
          return () => {
            if (!called) oneLess();
            called = true;
          };
        };
        for (const connection of end.peers.values()) {
          left++;
          sayGoodbye(connection, lingerMs, once());
        }
        oneLess();
      });
      return closed;
    },
  };
  return end;
}
