import {
  type Answers,
  answer,
  type ConnectFault,
  type ConnectionHandlers,
  type Contribution,
  type Enclosed,
  type KeptConnection,
  keepConnected,
  keyRefusal,
  type Message,
  type ServerRange,
  type ServerToWorker,
  type Transport,
  unexpected,
  type WorkerToServer,
} from '@tutti/protocol';
import {
  type Clock,
  errorFromRecord,
  errorToRecord,
  type Monitor,
  TuttiError,
} from '@tutti/runtime';
import { FAREWELL_MS, MOST_UNASKED, NO_WAY_MS, UNASKED_BYTES } from '../tunables.js';
import type { WeightBuffer } from './weights.js';

/**
 * The way to the servers: pulls versions into the weight buffer, whoever holds them now, and brings
 * contributions where the servers make the sums.
 */
export interface WeightPuller {
  /**
   * Asks all servers for a version, and has them send some of the next ones unasked. Whoever is too late for it
   * is given what they have now.
   * @param orElse what is asked for instead, if that is gone and this is not
   */
  pull(version: number, orElse?: number): void;
  /** Waits for a version, and asks for it if it does not come unasked. */
  follow(version: number): void;
  /** Pulls from these instead, and contributes to them; asks them for what was asked last and has not come. */
  relocate(servers: readonly ServerRange[]): void;
  servers(): readonly ServerRange[];
  /** Whether several servers are sent the same contributions: one may be a step behind another. */
  hasStandbys(): boolean;
  /** Sends to all servers that hold the chunk, or to those of them that are there. */
  contribute(body: Contribution, rest: Enclosed, there?: Place): void;
  /**
   * Chunks as they are best contributed: those for others first, and of these those of the servers after the
   * one in this process, so that not all workers begin with the same; then its own. Some may be both.
   */
  inOrder(chunks: readonly number[]): ContributionOrder;
  /** Whether nobody waits for the reports of the step from the latest version. */
  unhurried(): boolean;
  /** Whether what was contributed may be lost: a server says so, or its connection was. */
  isRepeatWanted(): boolean;
  /** The same, once. */
  takeRepeat(): boolean;
  /** The version asked for last; -1 before the first. A later one than that may be all there is. */
  wanted(): number;
  traffic(): number;
  /** Those that hold some of these chunks. */
  namesOf(chunks: readonly number[]): string;
  /** Why one of those cannot be reached, while that is so. */
  faultOf(chunks: readonly number[]): ConnectFault | undefined;
  close(): Promise<void>;
}

/** Where a server is: in this process, or elsewhere. */
export type Place = 'own' | 'away';

export type ContributionOrder = Readonly<Record<Place, readonly number[]>>;

/** A server that goes away is looked for again, until the coordinator names others. */
export function createWeightPuller(init: {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly weights: WeightBuffer;
  /** Where the server of this process can be reached. */
  readonly own: string | undefined;
  /** Whether contributions go to servers: also to standbys then. */
  readonly contributes: () => boolean;
  /** How many versions beyond the one asked for the servers send unasked. */
  readonly unasked: number;
  readonly stamp: (body: WorkerToServer) => Message;
  /** That of the assignment that is followed. */
  readonly attempt: () => string;
}): WeightPuller {
  const { transport, clock, monitor, weights, stamp } = init;
  /** As they were told, and those of them that are connected to. */
  let told: readonly ServerRange[] = [];
  let servers: readonly ServerRange[] = [];
  let connections: readonly KeptConnection[] = [];
  let wanted = -1;
  /** The first version of what was ordered last, and the last that the servers send unasked. */
  let [ordered, until] = [-1, -1];
  /** What is ordered if the first of it is gone. */
  let instead = -1;
  let past = 0;
  let repeatWanted = false;
  let unhurried = false;
  /** Since when those that are not reached are not. */
  const unreachedSince = new Map<string, number>();
  const reached = new Set<string>();

  const isOwn = ({ address }: ServerRange) => address === init.own;

  /** Those that hold the same: the one in this process, or else the first of them. */
  const isPulled = (server: ServerRange) =>
    isOwn(server) ||
    (server.role === undefined &&
      !servers.some((other) => isOwn(other) && other.firstChunk === server.firstChunk));

  /** Orders what has not come of a server; nothing, if all that was ordered has. */
  function ask(connection: KeptConnection) {
    const server = servers[connections.indexOf(connection)];
    if (wanted < 0 || server === undefined || !isPulled(server)) return;
    const version = weights.firstMissing(server.firstChunk, server.chunks);
    if (version <= until) connection.send({ message: stamp({ type: 'pull', version, until }) });
  }

  /**
   * Others were faster: what was ordered is gone, and so nobody needs its gradients. The server has taken
   * no order then, also not for what has been awaited since without asking.
   */
  function catchUp(error: TuttiError) {
    const { version, current } = error.details;
    if (typeof version !== 'number' || typeof current !== 'number') throw error;
    if (version < ordered || current <= version) return;
    const next = Math.max(current, wanted);
    pull(version < instead ? Math.min(instead, next) : next);
  }

  const answers: Answers<ServerToWorker, undefined> = {
    weights(_from, message, payload) {
      unhurried = message.unhurried === true;
      weights.accept(message.version, message.chunk, payload);
    },
    repeat(_from, { attempt }) {
      if (attempt === init.attempt()) repeatWanted = true;
    },
    refused: (_from, { error }) => catchUp(errorFromRecord(error)),
    // It was started again; the coordinator finds out and gives it its weights.
    holding() {},
  };

  function refuse(connection: KeptConnection, type: string) {
    const error = errorToRecord(unexpected('worker', type, 'server'));
    connection.send({ message: stamp({ type: 'refused', error }) });
  }

  function pull(version: number, orElse = version) {
    wanted = version;
    ordered = version;
    instead = orElse;
    until = version + init.unasked;
    weights.clear();
    weights.expect(version);
    for (const connection of connections) ask(connection);
  }

  function unreached(address: string, fault: ConnectFault) {
    const sinceMs = unreachedSince.get(address) ?? clock.now();
    unreachedSince.set(address, sinceMs);
    if (fault.kind !== 'name' && fault.kind !== 'route') return;
    if (!reached.has(address) && clock.now() - sinceMs >= NO_WAY_MS)
      monitor.fail(noWay(address, fault));
  }

  const isHolder = ({ firstChunk, chunks: held }: ServerRange, chunks: readonly number[]) =>
    chunks.some((chunk) => chunk >= firstChunk && chunk < firstChunk + held);

  function connect(address: string): KeptConnection {
    const reach = (handlers: ConnectionHandlers) => transport.connect(address, handlers);
    const connection: KeptConnection = keepConnected(reach, clock, {
      place: (message, bytes) =>
        message.type === 'weights'
          ? weights.place(message.version, message.chunk, bytes)
          : undefined,
      message(envelope) {
        // What a server says that was replaced in the meantime is as good: versions have one value.
        try {
          if (!answer(answers, undefined, envelope)) refuse(connection, envelope.message.type);
          monitor.notify();
        } catch (error) {
          monitor.fail(error);
        }
      },
      opened() {
        reached.add(address);
        unreachedSince.delete(address);
      },
      unreached: (fault) => unreached(address, fault),
      lost(_reason, fault) {
        const refused = keyRefusal(`the parameter server at ${address}`, fault);
        if (refused !== undefined) monitor.fail(refused);
        return refused === undefined;
      },
      again() {
        ask(connection);
        // Nobody knows what of it had arrived.
        repeatWanted = true;
        monitor.notify();
      },
    });
    return connection;
  }

  /** What is exchanged with the server in this process does not travel. */
  const traffic = () =>
    connections.reduce((sum, each, at) => (isOwn(servers[at]!) ? sum : sum + each.traffic()), past);

  const closeAll = async (old: readonly KeptConnection[]) => {
    // Unnamed wait: connections close within their linger.
    await Promise.all(old.map((connection) => connection.close(FAREWELL_MS)));
  };

  return {
    pull,
    follow(version) {
      if (version > until) return pull(version);
      wanted = version;
      weights.expect(version);
    },
    relocate(next) {
      if (next === told) return;
      told = next;
      const used = next.filter(({ role }) =>
        role === 'standby' ? init.contributes() : role === undefined,
      );
      const before = new Map(servers.map(({ address }, at) => [address, connections[at]!]));
      // Their orders stand.
      const placed = new Set(connections.filter((_, at) => isPulled(servers[at]!)));
      const bytes = traffic();
      servers = used;
      const added = used.filter(({ address }) => !before.has(address));
      for (const { address } of added) unreachedSince.delete(address);
      connections = used.map(({ address }) => before.get(address) ?? connect(address));
      past += bytes - traffic();
      for (const connection of connections) if (!placed.has(connection)) ask(connection);
      // These have heard nothing of the step under way.
      if (added.length > 0) repeatWanted = true;
      void closeAll([...before.values()].filter((each) => !connections.includes(each)));
    },
    servers: () => told,
    hasStandbys: () => servers.some(({ role }) => role === 'standby'),
    inOrder(chunks) {
      const here = servers.find(isOwn);
      if (here === undefined) return { away: [...chunks], own: [] };
      const others = servers.filter((server) => !isOwn(server));
      const end = here.firstChunk + here.chunks;
      const away = [
        ...chunks.filter((chunk) => chunk >= end),
        ...chunks.filter((chunk) => chunk < here.firstChunk),
        ...chunks.filter((chunk) => isHolder(here, [chunk])),
      ].filter((chunk) => others.some((server) => isHolder(server, [chunk])));
      return { away, own: chunks.filter((chunk) => isHolder(here, [chunk])) };
    },
    unhurried: () => unhurried,
    contribute(body, rest, there) {
      for (const [at, server] of servers.entries()) {
        if (!isHolder(server, [body.chunk])) continue;
        if (there === undefined || (there === 'own') === isOwn(server))
          connections[at]!.send({ message: stamp(body), ...rest });
      }
    },
    isRepeatWanted: () => repeatWanted,
    takeRepeat() {
      const wanted = repeatWanted;
      repeatWanted = false;
      return wanted;
    },
    wanted: () => wanted,
    traffic,
    namesOf(chunks) {
      const holders = servers.filter((server) => isPulled(server) && isHolder(server, chunks));
      const at = holders.map(({ address }) => address).join(', ');
      return holders.length === 1 ? `the server at ${at}` : `the servers at ${at}`;
    },
    faultOf: (chunks) =>
      connections
        .filter((_, at) => isPulled(servers[at]!) && isHolder(servers[at]!, chunks))
        .map((connection) => connection.fault())
        .find((fault) => fault !== undefined),
    async close() {
      const old = connections;
      connections = [];
      await closeAll(old);
    },
  };
}

/** How many versions of so many floats the servers may send a worker before it asks again. */
export function versionsUnasked(floats: number): number {
  return Math.min(MOST_UNASKED, Math.floor(UNASKED_BYTES / (4 * floats)));
}

function noWay(address: string, { reason }: ConnectFault): TuttiError {
  return new TuttiError(
    'PEER_LOST',
    `The parameter server at ${address} cannot be reached from this worker: ${reason}`,
    {
      remedy:
        'Name it by a host or IP address that all workers reach: --advertise of the coordinator that hosts it, else --server-addresses.',
      details: { role: 'server', address },
    },
  );
}
