import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobStatus } from '@tutti/protocol';
import { type Clock, type Stamped, systemClock, type Timer, TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { importMapDigest, pageAssets } from './assets.js';
import { prometheusText } from './prometheus.js';
import { createRunHistory, type RunHistory } from './run-history.js';
import { CLOSING_MS, SCRAPED_MS } from './tunables.js';
import { createUpdates } from './updates.js';

/** A page on loopback that shows a run as it goes, and its numbers for Prometheus at /metrics. */
export interface Dashboard {
  /** Where a browser finds it. */
  readonly url: string;
  event(event: Stamped<RunEvent>): void;
  /** What a coordinator says of itself; undefined if it does not answer. */
  status(address: string, status: JobStatus | undefined): void;
  /** There are no more events than those. */
  complete(): void;
  /** Whether somebody looks, or Prometheus has asked lately. */
  watched(): boolean;
  /** Pages have what was told by now, and are left with it. */
  close(): Promise<void>;
}

/** Nothing from elsewhere, and nothing inline: what a run tells of itself cannot become code. */
const policyOf = (importMap: string) =>
  [
    "default-src 'none'",
    `script-src 'self' '${importMap}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * @param init.port on 127.0.0.1; 0 picks a free one
 * @throws TuttiError ADDRESS_UNAVAILABLE
 */
export async function startDashboard(init: {
  readonly port: number;
  readonly clock?: Clock;
  /** What the run is called before it has said so itself. */
  readonly program?: string | undefined;
}): Promise<Dashboard> {
  const { clock = systemClock, program } = init;
  const history: RunHistory = createRunHistory({ clock, program });
  const updates = createUpdates({ history, clock });
  const assets = pageAssets();
  const headers = {
    ...HEADERS,
    'content-security-policy': policyOf(importMapDigest(assets.get('/')!)),
  };
  let scrapedAt = Number.NEGATIVE_INFINITY;

  function send(response: ServerResponse, type: string, content: string | Uint8Array) {
    response.writeHead(200, { ...headers, 'content-type': type }).end(content);
  }

  function refuse(response: ServerResponse, code: number, text: string) {
    response.writeHead(code, { ...headers, 'content-type': 'text/plain' }).end(`${text}\n`);
  }

  function answer(request: IncomingMessage, response: ServerResponse) {
    // Not by the parser of URLs, which throws for what is none.
    const path = request.url!.split('?', 1)[0]!;
    // A name that somebody has pointed at this machine must not read what is here.
    if (!isLoopback(request.headers.host)) return refuse(response, 403, 'Ask for 127.0.0.1.');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(response, 405, 'There is nothing to change here.');
    if (path === '/updates') return updates.follow(response, headers);
    if (path === '/metrics') {
      scrapedAt = clock.now();
      const type = 'text/plain; version=0.0.4; charset=utf-8';
      return send(response, type, prometheusText(history.view()));
    }
    const asset = assets.get(path);
    if (asset === undefined) return refuse(response, 404, 'There is no such page.');
    send(response, asset.type, asset.content);
  }

  const server = createServer(answer);
  // Unnamed wait: it opens a port of this machine.
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(unavailable(init.port, error)));
    server.listen(init.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/`,
    event(event) {
      history.event(event);
      updates.changed();
    },
    status(address, status) {
      history.status(address, status);
      updates.changed();
    },
    complete() {
      history.complete();
      updates.changed();
    },
    watched: () => updates.followers() > 0 || clock.now() - scrapedAt < SCRAPED_MS,
    async close() {
      updates.close();
      server.closeIdleConnections();
      let timer: Timer | undefined;
      // Unnamed wait: connections are cut after a second.
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        timer = clock.after(CLOSING_MS, () => server.closeAllConnections());
      });
      timer?.cancel();
    },
  };
}

const isLoopback = (host: string | undefined) =>
  /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? '');

function unavailable(port: number, error: Error & { code?: string }): TuttiError {
  const why = error.code === 'EADDRINUSE' ? 'another process listens there' : error.message;
  return new TuttiError(
    'ADDRESS_UNAVAILABLE',
    `Port ${port} cannot be opened for the dashboard: ${why}`,
    {
      remedy: 'Give another port, or 0 for one that is free.',
      cause: error,
      details: { port },
    },
  );
}
