import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '@tutti/runtime';
import type { RunHistory } from './run-history.js';
import { ALIVE_MS, MOST_FOLLOWERS, MOST_UNREAD_BYTES, UPDATE_PAUSE_MS } from './tunables.js';
import type { Update } from './view.js';

/** Sends a run's view to the pages that follow it, as server-sent events. */
export interface Updates {
  follow(response: ServerResponse, headers: Readonly<Record<string, string>>): void;
  changed(): void;
  followers(): number;
  /** Sends what is new, and ends. */
  close(): void;
}

interface Follower {
  readonly response: ServerResponse;
  known: { revision: number; points: number };
  /** The state of the history that it has. */
  changes: number;
}

export function createUpdates(init: {
  readonly history: RunHistory;
  readonly clock: Clock;
}): Updates {
  const { history, clock } = init;
  const followers = new Set<Follower>();
  let timer: Timer | undefined;
  let alive: Timer | undefined;

  function send(follower: Follower) {
    const { response, known } = follower;
    if (response.writableLength > MOST_UNREAD_BYTES) return leave(follower);
    const update: Update = { view: history.view(), curves: history.curves.since(known) };
    response.write(`data: ${JSON.stringify(update)}\n\n`);
    follower.known = { revision: history.curves.revision(), points: history.curves.complete() };
    follower.changes = history.changes();
  }

  function leave(follower: Follower) {
    followers.delete(follower);
    follower.response.end();
    if (followers.size === 0) alive?.cancel();
  }

  function sendAll() {
    for (const follower of followers) if (follower.changes !== history.changes()) send(follower);
  }

  function stayAlive() {
    alive?.cancel();
    alive = clock.after(ALIVE_MS, () => {
      for (const { response } of followers) response.write(': here\n\n');
      stayAlive();
    });
  }

  return {
    follow(response, headers) {
      if (followers.size >= MOST_FOLLOWERS) {
        response.writeHead(503, headers).end();
        return;
      }
      response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
      const follower = { response, known: { revision: -1, points: 0 }, changes: -1 };
      followers.add(follower);
      response.on('close', () => leave(follower));
      send(follower);
      stayAlive();
    },
    changed() {
      if (timer !== undefined || followers.size === 0) return;
      timer = clock.after(UPDATE_PAUSE_MS, () => {
        timer = undefined;
        sendAll();
      });
    },
    followers: () => followers.size,
    close() {
      timer?.cancel();
      sendAll();
      for (const follower of followers) leave(follower);
      alive?.cancel();
    },
  };
}
