import type { JobPlan, Message } from '@tutti/protocol';
import { type Clock, type Monitor, TuttiError } from '@tutti/runtime';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import type { Awaiting } from '../status/awaiting.js';
import { STANDBY_PATIENCE_MS } from '../tunables.js';
import { withPatience } from './with-patience.js';

export type Holding = Extract<Message, { type: 'holding' }>;

/** What the servers said they hold: which job they serve, if any. */
export interface Holdings extends Awaiting {
  said(server: number, holding: Holding): void;
  /** Whether one of them has said that it serves a job. */
  known(): boolean;
  /**
   * Asks the servers which job they serve. Those that do not answer are given up, if others hold the
   * same.
   * @throws TuttiError REFUSED if they serve different ones
   */
  identify(): Promise<{
    readonly found: { readonly id: string; readonly plan: JobPlan } | undefined;
    /** All that could have had a later version were asked. */
    readonly complete: boolean;
  }>;
}

export function createHoldings(init: {
  readonly servers: Servers;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}): Holdings {
  const { servers, monitor, deadlines } = init;
  const holdings = new Map<number, Holding>();
  const silent = () => servers.living().filter((server) => !holdings.has(server));
  const replaceable = (server: number) =>
    servers.siblings(server).some((other) => holdings.get(other)?.plan !== undefined);

  return {
    said: (server, holding) => void holdings.set(server, holding),
    known: () => [...holdings.values()].some(({ plan }) => plan !== undefined),
    async identify() {
      // Others may have held the ranges when they were asked before.
      holdings.clear();
      await monitor.until(
        () => servers.missing() === 0,
        () => ({
          who: `${servers.missing()} of ${servers.missing() + servers.views().length} workers`,
          what: 'join with the servers that they host',
          remedy: 'Start them, with --servers colocated as here.',
          deadlineMs: deadlines.joinMs,
        }),
      );
      servers.inquire();
      // Unnamed wait: it is named within.
      await withPatience(STANDBY_PATIENCE_MS, init, (isOver) =>
        monitor.until(
          () => silent().every((server) => isOver() && replaceable(server)),
          () => ({
            who: silent().map(servers.nameOf).join(', '),
            what: 'say what they hold',
            remedy:
              servers.faultOf(silent()) ?? 'Start them, and check that their ports can be reached.',
            deadlineMs: deadlines.joinMs,
          }),
        ),
      );
      const missing = silent();
      for (const server of missing)
        servers.drop(server, `it has not answered within ${STANDBY_PATIENCE_MS / 1000} s`);
      return { found: jobOf([...holdings.values()]), complete: missing.length === 0 };
    },
    awaitsWorker: () => undefined,
    awaitsServer: (server) => (holdings.has(server) ? undefined : 'say what it holds'),
  };
}

function jobOf(holdings: readonly Holding[]) {
  const found = holdings.filter(({ job }) => job !== '');
  const [first] = found;
  if (first?.plan === undefined) return undefined;
  if (found.some(({ job }) => job !== first.job))
    throw new TuttiError('REFUSED', 'The servers belong to different jobs', {
      remedy: 'End the servers that are left over from another run.',
    });
  return { id: first.job, plan: first.plan };
}
