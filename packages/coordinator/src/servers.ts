import { type Layout, partition } from '@tutti/parameters';
import type { Body, Connection, Envelope, ServerRange, Transport } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';

/** One server, as the coordinator reaches it and as the workers do. */
export interface ServerAddress {
  readonly connect: string;
  /** Another way than the coordinator's own transport: for a server in the same process. */
  readonly transport?: Transport;
  /** What workers connect to; `connect` if not given. */
  readonly public?: string;
}

/** The servers of a job: each holds a range of neighbouring chunks. */
export interface Servers {
  ranges(layout: Layout): ServerRange[];
  /** Asks every server, whichever job it serves. */
  inquire(): void;
  /** Sends each server what `body` makes for its range. */
  broadcast(body: (range: ServerRange) => Body): void;
  /** Sends to the server that holds a chunk. */
  sendTo(chunk: number, body: Body, payload?: Uint8Array): void;
  /** What the messages are for, in words: "the server at tcp://..." */
  nameOf(chunk: number): string;
  readonly names: string;
  close(): Promise<void>;
}

export function connectServers(init: {
  readonly servers: readonly ServerAddress[];
  readonly transport: Transport;
  readonly stamp: (body: Body) => Envelope['message'];
  readonly receive: (server: number, envelope: Envelope) => void;
  readonly lost: (error: TuttiError) => void;
}): Servers {
  const { servers, transport, stamp, receive, lost } = init;
  const connections: Connection[] = servers.map((server, at) =>
    (server.transport ?? transport).connect(server.connect, {
      message: (envelope) => receive(at, envelope),
      closed: (reason) =>
        lost(
          new TuttiError('PEER_LOST', `The server at ${server.connect} is gone: ${reason}`, {
            remedy: 'See how the server ended, and start the job again.',
            details: { server: server.connect },
          }),
        ),
    }),
  );
  let ranges: ServerRange[] = [];
  const holderOf = (chunk: number) =>
    ranges.findIndex((range) => chunk < range.firstChunk + range.chunks);
  const send = (at: number, body: Body, payload?: Uint8Array) => {
    const message = stamp(body);
    connections[at]!.send(payload === undefined ? { message } : { message, payload });
  };

  return {
    ranges(layout) {
      ranges = partition(layout.chunks, servers.length).map((part, at) => ({
        ...part,
        address: servers[at]!.public ?? servers[at]!.connect,
      }));
      return ranges;
    },
    inquire() {
      for (const connection of connections)
        connection.send({ message: { ...stamp({ type: 'inquire' }), job: '' } });
    },
    broadcast(body) {
      for (const [at, range] of ranges.entries()) send(at, body(range));
    },
    sendTo: (chunk, body, payload) => send(holderOf(chunk), body, payload),
    nameOf: (chunk) => `the server at ${servers[holderOf(chunk)]!.connect}`,
    names: `the servers at ${servers.map(({ connect }) => connect).join(', ')}`,
    async close() {
      await Promise.all(connections.map((connection) => connection.close(1000)));
    },
  };
}
