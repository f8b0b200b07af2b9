import type {
  Connection,
  ConnectionHandlers,
  CoordinatorToServer,
  Envelope,
} from '@tutti/protocol';
import type { Clock, Timer } from '@tutti/runtime';
import { DISMISSAL_FIRST_MS, DISMISSAL_PAUSE_MS, DISMISSAL_TRY_MS } from '../tunables.js';
import type { ServerAddress } from './server-address.js';

/**
 * Servers that another has taken the place of while they may be alive: each waits for a coordinator that does not
 * come back to it, and is told so as soon as it can be reached.
 */
export interface Dismissals {
  /** @param by where its chunks are now */
  add(server: ServerAddress, by: string, reason: string): void;
  /** Tries a last time with those that have not heard it. */
  close(): Promise<void>;
}

export function createDismissals(init: {
  readonly connect: (server: ServerAddress, handlers: ConnectionHandlers) => Connection;
  readonly stamp: (body: CoordinatorToServer) => Envelope['message'];
  readonly clock: Clock;
}): Dismissals {
  const { stamp, clock } = init;
  const untold = new Map<ServerAddress, { readonly news: CoordinatorToServer; timer: Timer }>();
  let trying: Connection[] = [];

  function end(connection: Connection, lingerMs = 0) {
    trying = trying.filter((other) => other !== connection);
    return connection.close(lingerMs);
  }

  function say(server: ServerAddress, news: CoordinatorToServer): Connection {
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

  function tell(server: ServerAddress) {
    const entry = untold.get(server);
    if (entry === undefined) return;
    const connection = say(server, entry.news);
    entry.timer = clock.after(DISMISSAL_TRY_MS, () => {
      void end(connection);
      entry.timer = clock.after(DISMISSAL_PAUSE_MS, () => tell(server));
    });
  }

  return {
    add(server, by, reason) {
      const timer = clock.after(DISMISSAL_FIRST_MS, () => tell(server));
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
        ...last.map((connection) => end(connection, DISMISSAL_TRY_MS)),
      ]);
    },
  };
}
