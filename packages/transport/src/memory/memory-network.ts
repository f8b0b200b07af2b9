import type { Connection, ConnectionHandlers, Listener, Transport } from '@tutti/protocol';
import { type Clock, type Random, TuttiError } from '@tutti/runtime';
import { CONNECT_DEADLINE_MS } from '../tunables.js';
import {
  type ConnectionEnd,
  createConnectionEnd,
  createListenerEnd,
  type ListenerEnd,
} from './memory-ends.js';
import { type Wrap, wrapCopied, wrapEncoded, wrapRaw, wrapReference } from './memory-link.js';
import { createPipe, type Pipe } from './memory-pipe.js';

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  /** Where delays and losses come from; without it there are no delays, and a crash loses all. */
  readonly random?: Random;
  /** The delay of the next message. Default: up to 2 ms at random; 0 without `random`. */
  readonly delayMs?: (from: string, to: string) => number;
  /** How long a cut lasts until both sides count the other as gone. Default 3,000. */
  readonly timeoutMs?: number;
  /** Default 30,000. */
  readonly connectDeadlineMs?: number;
  /**
   * False passes messages by reference, without encoding; 'payloads' too, but copies their payloads
   * as a wire does. Default true.
   */
  readonly codec?: boolean | 'payloads';
  /** Runs a delivery after a delay. Default `clock.after`. */
  readonly schedule?: (delayMs: number, task: () => void) => void;
}

/** Hosts in one process, with a network between them that can be broken on purpose. */
export interface MemoryNetwork {
  /** The transport of a process on this host. */
  transport(host: string): Transport;
  /**
   * Holds back what is sent from a to b, and from b to a unless only `direction` 'forth' is cut.
   * If the cut lasts for `timeoutMs`, the connections between the two are closed on both sides.
   */
  cut(a: string, b: string, direction?: 'forth' | 'both'): void;
  /** Ends a cut in both directions; what was held back arrives, in order. */
  heal(a: string, b: string): void;
  /** Closes the connections between two hosts on both sides; what is on the way is lost. */
  reset(a: string, b: string): void;
  /**
   * Ends all that the host has open, as SIGKILL would: none of its handlers is called any more, and
   * of what it had sent only a random beginning arrives. `transport(host)` then makes a new process.
   */
  crash(host: string): void;
  /** Sends what need not be a message, as a foreign or broken peer could. */
  sendRaw(connection: Connection, frames: readonly Uint8Array[]): void;
}

/**
 * The twin of the ZeroMQ transport, with the same contract. Every delivery is a task of the clock, so
 * with a simulated clock and a seeded `random` a whole run follows from one seed, and messages of
 * different connections interleave in any order while each connection keeps its own.
 */
export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  const { clock, random } = options;
  const delayMs = options.delayMs ?? (() => (random === undefined ? 0 : random.next() * 2));
  const schedule = options.schedule ?? ((delay, task) => void clock.after(delay, task));
  const timeoutMs = options.timeoutMs ?? 3000;
  const wrap = WRAPS[String(options.codec ?? true)]!;

  const listeners = new Map<string, ListenerEnd>();
  const connections = new Map<ConnectionEnd, ListenerEnd | undefined>();
  /** Directed pairs `from\0to` that are cut, with the number of the cut. */
  const cuts = new Map<string, number>();
  let cutCount = 0;
  let peerCount = 0;
  let nextPort = 49_152;

  const isCut = (from: string, to: string) => cuts.has(pair(from, to));
  const delayed = (from: string, to: string) => (task: () => void) =>
    schedule(delayMs(from, to), task);

  function pipe(from: string, to: string): Pipe {
    const made = createPipe({ from, to, schedule: delayed(from, to) });
    if (isCut(from, to)) made.hold();
    return made;
  }

  /** One try to reach the listener; whatever may make a later one succeed tries again. */
  function tryToConnect(connection: ConnectionEnd): void {
    const listener = listeners.get(connection.address);
    if (listener === undefined || connection.over() || connection.pipes !== undefined) return;
    const { host } = connection;
    if (isCut(host, listener.host) || isCut(listener.host, host)) return;
    connections.set(connection, listener);
    const up = pipe(host, listener.host);
    connection.accepted(listener, `peer-${++peerCount}`, up, pipe(listener.host, host));
  }

  function tryLater(connection: ConnectionEnd): void {
    const { host, address } = connection;
    delayed(host, listeners.get(address)?.host ?? host)(() => tryToConnect(connection));
  }

  function retryAll(): void {
    for (const [connection, listener] of connections) {
      if (isDone(connection, listener)) connections.delete(connection);
      else if (listener === undefined) tryLater(connection);
    }
  }

  function severed(a: string, b: string, reason: string): void {
    for (const [connection, listener] of connections) {
      if (listener === undefined || !isBetween(connection.host, listener.host, a, b)) continue;
      connections.delete(connection);
      const peer = peerOf(listener, connection);
      connection.pipes?.up.drop(0);
      connection.pipes?.down.drop(0);
      connection.finish(reason);
      if (peer !== undefined) listener.lost(peer, reason);
    }
  }

  function forPipes(a: string, b: string, act: (pipe: Pipe) => void): void {
    for (const { pipes } of connections.keys()) {
      if (pipes === undefined) continue;
      for (const one of [pipes.up, pipes.down]) if (one.from === a && one.to === b) act(one);
    }
  }

  function cutOneWay(from: string, to: string): void {
    if (isCut(from, to)) return;
    const number = ++cutCount;
    cuts.set(pair(from, to), number);
    forPipes(from, to, (one) => one.hold());
    clock.after(timeoutMs, () => {
      if (cuts.get(pair(from, to)) === number)
        severed(from, to, `nothing was heard for ${timeoutMs / 1000} s`);
    });
  }

  function transport(host: string): Transport {
    return {
      async listen(wanted, handlers): Promise<Listener> {
        const address = wanted.replace(/:0$/, () => `:${nextPort++}`);
        if (listeners.has(address)) throw inUse(address);
        const init = { host, address, clock, wrap };
        const listener = createListenerEnd(init, handlers, (end) => {
          if (listeners.get(address) === end) listeners.delete(address);
        });
        listeners.set(address, listener);
        retryAll();
        return listener;
      },
      connect(address: string, handlers: ConnectionHandlers): Connection {
        const init = { host, address, clock, wrap };
        const deadlineMs = options.connectDeadlineMs ?? CONNECT_DEADLINE_MS;
        const connection = createConnectionEnd(init, handlers, deadlineMs);
        connections.set(connection, undefined);
        tryLater(connection);
        return connection;
      },
    };
  }

  return {
    transport,
    cut(a, b, direction = 'both') {
      cutOneWay(a, b);
      if (direction === 'both') cutOneWay(b, a);
    },
    heal(a, b) {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        cuts.delete(pair(from, to));
        forPipes(from, to, (one) => one.release());
      }
      retryAll();
    },
    reset: (a, b) => severed(a, b, 'the connection was reset'),
    sendRaw(connection, frames) {
      for (const end of connections.keys()) if (end === connection) end.post(wrapRaw(frames));
    },
    crash(host) {
      for (const listener of [...listeners.values()]) {
        if (listener.host === host) listener.vanish();
      }
      for (const [connection, listener] of connections) {
        const { pipes } = connection;
        const reason = `the process on ${host} ended`;
        if (connection.host === host) {
          if (connection.over()) continue;
          connection.vanish();
          if (listener === undefined || pipes === undefined) {
            connections.delete(connection);
            continue;
          }
          // It stays known until its end has arrived: that may be held back by a cut.
          loseSome(pipes.up);
          const peer = peerOf(listener, connection);
          if (peer !== undefined) pipes.up.push(() => listener.lost(peer, reason));
        } else if (listener?.host === host && pipes !== undefined) {
          loseSome(pipes.down);
          pipes.down.push(() => connection.finish(reason));
        }
      }
    },
  };

  function loseSome(way: Pipe): void {
    way.drop(random === undefined ? 0 : random.below(way.length() + 1));
  }
}

/** Both ends know that it is over. */
function isDone(connection: ConnectionEnd, listener: ListenerEnd | undefined): boolean {
  if (!connection.over()) return false;
  return listener === undefined || listener.over() || peerOf(listener, connection) === undefined;
}

function peerOf(listener: ListenerEnd, connection: ConnectionEnd): string | undefined {
  for (const [peer, end] of listener.peers) if (end === connection) return peer;
  return undefined;
}

const WRAPS: Readonly<Record<string, Wrap>> = {
  true: wrapEncoded,
  false: wrapReference,
  payloads: wrapCopied,
};

const pair = (from: string, to: string) => `${from}\0${to}`;

function isBetween(x: string, y: string, a: string, b: string): boolean {
  return (x === a && y === b) || (x === b && y === a);
}

function inUse(address: string): TuttiError {
  return new TuttiError(
    'ADDRESS_UNAVAILABLE',
    `Cannot listen at ${address}: another listener is using it.`,
    { remedy: 'Choose another port (0 picks a free one).', details: { address } },
  );
}
