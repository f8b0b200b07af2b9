import type { Layout } from '@tutti/parameters';
import {
  type ConnectFault,
  type Connection,
  type ConnectionHandlers,
  type CoordinatorToServer,
  type Envelope,
  type Finish,
  type Inquire,
  type KeptConnection,
  keepConnected,
  keyRefusal,
  type ServerRange,
  type ServerStatus,
  type Transport,
} from '@tutti/protocol';
import type { Clock, TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { farewellMs } from '../tunables.js';
import { createDismissals } from './dismissals.js';
import { createHolders, type Holders } from './holders.js';
import { createHostedServers, type HostedServers } from './hosted-servers.js';
import type { ServerAddress } from './server-address.js';

/** What each server is there for. */
export interface ServerView
  extends Pick<ServerStatus, 'address' | 'role' | 'firstChunk' | 'chunks'> {
  /** The worker, by its connection, whose process hosts it. */
  readonly peer?: string;
}

/**
 * The servers of a job. Each range of neighbouring chunks is held by one server and its standbys, all
 * of which are told the same; workers pull from the first that is alive, or from their own. A server is given up
 * if it is lost while others hold its range. Then it is looked for, and has to catch up with those.
 */
export interface Servers extends Holders {
  /** How many are still to be named by the workers that host them. */
  missing(): number;
  /** What workers say of servers that their processes host; ignored where the servers were given. */
  readonly hosts: Omit<HostedServers, 'away' | 'refused' | 'back' | 'isGone' | 'close'>;
  /** Whether they are in the processes of workers. */
  readonly hosted: boolean;
  /** What each range holds, and where workers pull it now. */
  ranges(layout: Layout): ServerRange[];
  /** What workers are told: all servers in their order, also those that are lost. */
  places(layout: Layout): ServerRange[];
  /** Asks every server, whichever job it serves. */
  inquire(): void;
  /** Sends every living server what `body` makes for its range. */
  broadcast(body: (range: ServerRange) => CoordinatorToServer): void;
  /** Sends to all living holders of a chunk; returns who they are. */
  sendTo(chunk: number, body: CoordinatorToServer, payload?: Uint8Array): readonly number[];
  /** @param lent as in an envelope */
  send(
    server: number,
    body: CoordinatorToServer,
    payload?: Uint8Array,
    lent?: () => Uint8Array,
  ): void;
  /** What it has is of no use beside what the others of its range have. */
  giveUp(server: number, reason: string): void;
  /** As if its connection were lost. */
  drop(server: number, reason: string): void;
  /** Sends to one living holder of each range. */
  sendToFirst(body: CoordinatorToServer): void;
  /** The range that a server holds, and where workers reach it. */
  rangeOf(server: number): ServerRange;
  readonly names: string;
  /** The workers, by their connections, whose processes host these servers. */
  hostsOf(servers: readonly number[]): readonly string[];
  /** Those that nobody stands in for and that have not answered since the connection to them was lost. */
  absent(): readonly number[];
  /** Those of them whose weights are gone: nobody listens there any more, or its worker's process is given up. */
  gone(): readonly number[];
  /** Why the first of these that cannot be reached cannot, with its address; absent if all can. */
  faultOf(servers: readonly number[]): string | undefined;
  /** All servers, in the order in which they were given. */
  views(): readonly ServerView[];
  nameOf(server: number): string;
  /** The job is over: tells all that are there. */
  finish(farewell: Finish): void;
  close(): Promise<void>;
}

export interface ServerEvents {
  /** @param server may be one that was given up */
  receive(server: number, envelope: Envelope): void;
  /** It was given up: the workers pull from another. */
  replaced(server: number, reason: string): void;
  /** Nobody else holds its range: it is looked for until it is back. */
  orphaned(server: number, reason: string): void;
  /** Nobody else holds its range, and it never will be reached. */
  refused(error: TuttiError): void;
  /** One that was given up is gone again. */
  gone(server: number): void;
  /** Some cannot be reached, perhaps for a while. */
  unreached(): void;
  /** Its range is held by a server elsewhere from now on, without weights. */
  moved(server: number, from: string): void;
}

/**
 * @param hosted that many are named by the workers that host them, in place of `servers`
 * @param servers first one for each range, then their standbys in the same order, round by round
 * @param replicas standbys of each range; some have one more where the hosted ones do not come out even
 */
export function connectServers(init: {
  readonly servers: readonly ServerAddress[];
  readonly hosted?: number | undefined;
  readonly replicas: number;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly stamp: (body: CoordinatorToServer) => Envelope['message'];
  /** Asks what a server holds, and says who asks. */
  readonly inquiry: Inquire;
  readonly events: ServerEvents;
}): Servers {
  const { hosted = 0, replicas, transport, clock, stamp, inquiry, events } = init;
  const servers = [...init.servers];
  const width = Math.floor((hosted || servers.length) / (replicas + 1));
  const holders = createHolders(width, () => servers.length);
  const dismissals = createDismissals({ connect: reach, stamp, clock });
  const hosts = createHostedServers({
    ...{ count: hosted, clock, take, replace, gaveUp: events.unreached },
    addresses: () => servers.map(({ connect }) => connect),
    drop: (at) => connections[at]!.drop('its worker hangs'),
  });
  const absent = new Set<number>();
  const connections = servers.map((_, at) => connect(at));

  const toldOf = ({ connect, public: told = connect }: ServerAddress) => told;

  function nameOf(at: number): string {
    const server = servers[at]!;
    const worker = hosts.workerOf(server.connect);
    return `the server at ${toldOf(server)}${worker === undefined ? '' : ` in the process of worker ${worker}`}`;
  }

  function reach(server: ServerAddress, handlers: ConnectionHandlers): Connection {
    return (server.transport ?? transport).connect(server.connect, handlers);
  }

  function connect(at: number): KeptConnection {
    return keepConnected((handlers) => reach(servers[at]!, handlers), clock, {
      message(envelope) {
        hosts.back(at);
        absent.delete(at);
        holders.present(at, true);
        events.receive(at, envelope);
      },
      unreached(fault) {
        if (fault.kind !== 'refused') return;
        if (hosted > 0) hosts.refused(at);
        else events.unreached();
      },
      lost: (reason, fault) => lost(at, reason, fault),
      again: () => send(at, inquiry),
    });
  }

  function take(addresses: readonly string[]) {
    const kept = addresses.slice(0, servers.length);
    if (kept.some((address, at) => servers[at]!.connect !== address)) {
      for (const connection of connections) void connection.close(0);
      [servers.length, connections.length] = [0, 0];
      holders.clear();
      absent.clear();
    }
    for (const address of addresses.slice(servers.length)) {
      servers.push({ connect: address });
      connections.push(connect(servers.length - 1));
    }
  }

  function replace(at: number, address: string) {
    const before = servers[at]!;
    const reason = holders.reasonOf(at);
    void connections[at]!.close(0);
    absent.delete(at);
    holders.present(at, false);
    servers[at] = { connect: address };
    connections[at] = connect(at);
    send(at, inquiry);
    if (reason === undefined) events.moved(at, before.connect);
    else dismissals.add(before, address, reason);
  }

  /** Returns whether it is looked for again. */
  function lost(at: number, reason: string, fault?: ConnectFault): boolean {
    holders.present(at, false);
    if (hosted > 0) hosts.away(at);
    const refused = keyRefusal(nameOf(at), fault);
    if (holders.isGivenUp(at)) {
      events.gone(at);
      return refused === undefined;
    }
    if (holders.siblings(at).length > 1) {
      holders.giveUp(at, reason);
      events.replaced(at, reason);
      return refused === undefined;
    }
    absent.add(at);
    if (refused === undefined) events.orphaned(at, reason);
    else events.refused(refused);
    return refused === undefined;
  }

  const send: Servers['send'] = (at, body, payload, lent) => {
    const message = stamp(body);
    if (payload === undefined) return connections[at]!.send({ message });
    // In this process it is passed by reference, and done with when the server has answered.
    const passed = lent === undefined || servers[at]!.transport !== undefined;
    connections[at]!.send(passed ? { message, payload } : { message, payload, lent });
  };
  const rangeAt = (at: number): ServerRange => ({
    address: toldOf(servers[at]!),
    ...holders.rangeOf(at),
  });

  return {
    ...holders,
    missing: () => Math.max(0, hosted - servers.length),
    hosts,
    hosted: hosted > 0,
    ranges(layout) {
      holders.cut(layout);
      return holders.primaries().map(rangeAt);
    },
    places(layout) {
      holders.cut(layout);
      return [...servers.keys()].map((at): ServerRange => {
        const role = holders.roleOf(at);
        return role === 'primary' ? rangeAt(at) : { ...rangeAt(at), role };
      });
    },
    inquire() {
      for (const connection of connections) connection.send({ message: stamp(inquiry) });
    },
    broadcast(body) {
      if (holders.isCut()) for (const at of holders.living()) send(at, body(rangeAt(at)));
    },
    sendTo(chunk, body, payload) {
      const told = holders.holders(chunk);
      for (const at of told) send(at, body, payload);
      return told;
    },
    send,
    giveUp(server, reason) {
      holders.giveUp(server, reason);
      holders.present(server, true);
    },
    drop(server, reason) {
      connections[server]!.drop(reason);
    },
    sendToFirst(body) {
      for (const at of holders.primaries()) send(at, body);
    },
    rangeOf: rangeAt,
    hostsOf: (which) => which.flatMap((at) => hosts.peerOf(servers[at]!.connect) ?? []),
    absent: () => [...absent],
    gone: () =>
      [...absent].filter((at) => hosts.isGone(at) || connections[at]!.fault()?.kind === 'refused'),
    faultOf(which) {
      for (const at of which) {
        const fault = holders.isGivenUp(at) ? undefined : connections[at]!.fault();
        if (fault !== undefined) return `${servers[at]!.connect}: ${fault.reason}. ${fault.remedy}`;
      }
      return undefined;
    },
    get names() {
      return `the servers at ${servers.map(toldOf).join(', ')}`;
    },
    views() {
      return [...servers.keys()].map((at): ServerView => {
        const peer = hosts.peerOf(servers[at]!.connect);
        return {
          ...{ ...rangeAt(at), role: holders.roleOf(at) },
          ...(peer !== undefined && { peer }),
        };
      });
    },
    nameOf,
    finish(farewell) {
      if (!holders.isCut()) return;
      for (const at of [...holders.living(), ...holders.returned()]) send(at, farewell);
    },
    async close() {
      hosts.close();
      // It may not know this coordinator.
      for (const [at, server] of servers.entries()) {
        const reason = holders.reasonOf(at);
        const [other] = holders.siblings(at);
        if (reason !== undefined) dismissals.add(server, servers[other!]!.connect, reason);
      }
      const all = connections.map((connection) => connection.close(farewellMs(transport)));
      // Unnamed wait: connections close within their linger.
      await Promise.all([...all, dismissals.close()]);
    },
  };
}

/** The warning of a server that is gone, and what becomes of its range. */
export function serverLost(name: string, reason: string, then: string): RunEvent {
  return {
    event: 'warning',
    code: 'PEER_LOST',
    message: `${name} is gone: ${reason}. ${then}`,
    remedy: 'See how it ended.',
  };
}
