import type { TuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { LocalSettings } from '../local-settings.js';
import { LOOPBACK, MAX_SERVER_RESTARTS } from '../tunables.js';
import { type Child, startChild } from './child.js';
import type { ServerArgument } from './server-process.js';

/** Server processes on this machine. */
export interface ServerFleet {
  /** Where they listen: first one for each range, then their standbys, round by round. */
  readonly addresses: Promise<string[]>;
  /** Ends them, after `graceMs` by force; none is started again. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts the server processes of a run. One that dies is started again at its address, empty: the coordinator
 * gives it what its standby has, or where none lives all go back to a checkpoint.
 */
export function startServerFleet(init: {
  readonly settings: LocalSettings;
  /** How many ranges there are. */
  readonly servers: number;
  readonly onLine: ((name: string, line: string) => void) | undefined;
  readonly emit: (event: RunEvent) => void;
  /** A server died too often, or failed. */
  readonly failed: (error: TuttiError) => void;
}): ServerFleet {
  const { settings, servers, onLine, emit, failed } = init;
  const { replicas = 0 } = settings;
  const children: Child[] = [];
  const alive = new Set<number>();
  const restarts = new Map<number, number>();
  let stopped = false;

  function launch(at: number, address: string): Promise<string> {
    // Unnamed wait: the caller races it.
    return new Promise((resolve) => {
      let listening: string | undefined;
      const child = startChild({
        name: `server ${at}`,
        entry: 'processes/server-process',
        argument: { address, name: `server ${at}`, settings } satisfies ServerArgument,
        onLine,
        onReport(report) {
          if (report.type === 'event') emit(report.event);
          if (report.type !== 'listening') return;
          listening = report.addresses[0]!;
          alive.add(at);
          resolve(listening);
        },
      });
      children.push(child);
      void child.exited.then((error) => {
        alive.delete(at);
        if (error === undefined || stopped) return;
        // One that never listened, or has said what is wrong, would not fare better the next time.
        if (listening === undefined || error.code !== 'CHILD_DIED') failed(error);
        else died(at, listening, error);
      });
    });
  }

  function died(at: number, address: string, error: TuttiError) {
    const count = (restarts.get(at) ?? 0) + 1;
    restarts.set(at, count);
    const isCovered = [...alive].some((other) => other % servers === at % servers);
    if (count > MAX_SERVER_RESTARTS) return isCovered ? undefined : failed(error);
    emit(warningOf(error, `${error.message}. It is started again`));
    void launch(at, address);
  }

  const addresses = Array.from({ length: servers * (replicas + 1) }, (_, at) =>
    launch(at, LOOPBACK),
  );
  return {
    addresses: Promise.all(addresses),
    async stop(graceMs) {
      stopped = true;
      // Unnamed wait: processes end within their grace.
      await Promise.all(children.map((child) => child.stop(graceMs)));
    },
  };
}
