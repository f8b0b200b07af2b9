import type { Message, ShardReport } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import type { RunEvent, StepEvent } from '@tutti/telemetry';
import { SHOWN_SPEED_WINDOW } from '../tunables.js';

/** What was seen of a job that its roles do not need, but whoever asks how it is doing does. */
export interface Observations {
  readonly startedAt: number;
  /** The last step that was done. */
  step(): StepEvent | undefined;
  observe(event: RunEvent): void;
  worker(peer: string, message: Message): void;
  server(server: number, message: Message): void;
  /** A peer is gone. */
  forget(peer: string): void;
  /** When a worker was heard last, by the clock. */
  workerHeardAt(peer: string): number | undefined;
  serverHeardAt(server: number): number | undefined;
  /** Examples per second of its own computing. */
  speedOf(peer: string): number | undefined;
  /** The latest version of which the server said that it holds a chunk. */
  versionOf(server: number): number | undefined;
}

export function createObservations(clock: Clock): Observations {
  const startedAt = clock.now();
  const workers = new Map<string, { heardAt: number; computed: ShardReport[][] }>();
  const servers = new Map<number, { heardAt: number; version: number | undefined }>();
  let step: StepEvent | undefined;

  return {
    startedAt,
    step: () => step,
    observe(event) {
      if (event.event === 'step') step = event;
    },
    worker(peer, message) {
      let seen = workers.get(peer);
      if (seen === undefined) {
        seen = { heardAt: 0, computed: [] };
        workers.set(peer, seen);
      }
      seen.heardAt = clock.now();
      if (message.type !== 'report') return;
      seen.computed.push([...message.shards]);
      if (seen.computed.length > SHOWN_SPEED_WINDOW) seen.computed.shift();
    },
    server(server, message) {
      const seen = servers.get(server) ?? { heardAt: 0, version: undefined };
      servers.set(server, seen);
      seen.heardAt = clock.now();
      if (message.type === 'applied') seen.version = message.step + 1;
      else if (message.type === 'stored') seen.version = 0;
      else if (message.type === 'opened') {
        const held = Math.max(...message.versions);
        seen.version = held < 0 ? undefined : held;
      }
    },
    forget: (peer) => void workers.delete(peer),
    workerHeardAt: (peer) => workers.get(peer)?.heardAt,
    serverHeardAt: (server) => servers.get(server)?.heardAt,
    speedOf(peer) {
      const reports = workers.get(peer)?.computed.flat() ?? [];
      const computeMs = reports.reduce((sum, report) => sum + report.computeMs, 0);
      const count = reports.reduce((sum, report) => sum + report.count, 0);
      return computeMs > 0 ? (1000 * count) / computeMs : undefined;
    },
    versionOf: (server) => servers.get(server)?.version,
  };
}
