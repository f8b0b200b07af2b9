import type {
  Connection,
  ConnectionHandlers,
  CoordinatorToServer,
  Envelope,
} from '@tutti/protocol';
import type { Clock, Timer } from '@tutti/runtime';

/**
 * Servers that were given up while they may be alive: each waits for a coordinator that does not come
 * back to it, and is told so as soon as it can be reached.
 */
export interface Dismissals {
  /** @param by where its chunks are now */
  add(server: number, by: string, reason: string): void;
  /** Tries a last time with those that have not heard it. */
  close(): Promise<void>;
}

/** It has to notice first that the connection before is lost: until then it heeds nobody else. */
const FIRST_MS = 200;
/** How long one try lasts, and the pause until the next: a server that is dead is tried for ever. */
const TRY_MS = 1000;
const PAUSE_MS = 3000;

export function createDismissals(init: {
  readonly connect: (server: number, handlers: ConnectionHandlers) => Connection;
  readonly stamp: (body: CoordinatorToServer) => Envelope['message'];
  readonly clock: Clock;
}): Dismissals {
  const { stamp, clock } = init;
  const untold = new Map<number, { readonly news: CoordinatorToServer; timer: Timer }>();
  let trying: Connection[] = [];

  function end(connection: Connection, lingerMs = 0) {
    trying = trying.filter((other) => other !== connection);
    return connection.close(lingerMs);
  }

  function say(server: number, news: CoordinatorToServer): Connection {
    const connection = init.connect(server, {
      // Whatever the answer: one that serves another job, or none, does not wait for this one.
      message() {
        untold.get(server)?.timer.cancel();
        untold.delete(server);
        void end(connection);
      },
    });
    trying.push(connection);
    connection.send({ message: stamp(news) });
    return connection;
  }

  function tell(server: number) {
    const entry = untold.get(server);
    if (entry === undefined) return;
    const connection = say(server, entry.news);
    entry.timer = clock.after(TRY_MS, () => {
      void end(connection);
      entry.timer = clock.after(PAUSE_MS, () => tell(server));
    });
  }

  return {
    add(server, by, reason) {
      const timer = clock.after(FIRST_MS, () => tell(server));
      untold.set(server, { news: { type: 'replaced', by, reason }, timer });
    },
    async close() {
      const last = [...untold].map(([server, { news, timer }]) => {
        timer.cancel();
        return say(server, news);
      });
      untold.clear();
      // Unnamed wait: connections close within their linger.
      await Promise.all([
        ...trying.filter((other) => !last.includes(other)).map((connection) => end(connection)),
        ...last.map((connection) => end(connection, TRY_MS)),
      ]);
    },
  };
}
