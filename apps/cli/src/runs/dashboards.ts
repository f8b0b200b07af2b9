import { DASHBOARD_PORT, type Settings } from '@tutti/config';
import { type Asking, askHistory } from '@tutti/coordinator/internal';
import type { Dashboard } from '@tutti/dashboard';
import type { HistoryPlace } from '@tutti/protocol';
import { type Clock, isTuttiError } from '@tutti/runtime';
import { readEvent } from '@tutti/telemetry';
import { type LinkSettings, openZmqTransport } from '@tutti/transport';
import type { Output } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { pause } from '../process/pause.js';
import { ANSWER_DEADLINE_MS, CONNECT_SHARE, WATCH_MS } from '../tunables.js';

/** Opens the page at a port, or with true at the usual one, or a free one if that is taken. */
export async function servePage(
  port: number | true,
  init: { readonly clock: Clock; readonly program?: string | undefined },
): Promise<Dashboard> {
  // Unnamed wait: modules of this machine.
  const { startDashboard } = await import('@tutti/dashboard');
  if (port !== true) return startDashboard({ port, ...init });
  try {
    // Unnamed wait: it opens a port of this machine.
    return await startDashboard({ port: DASHBOARD_PORT, ...init });
  } catch (error) {
    if (!isTuttiError(error) || error.code !== 'ADDRESS_UNAVAILABLE') throw error;
    return startDashboard({ port: 0, ...init });
  }
}

/**
 * Opens a page for the run of this process, if one is asked for: it hears its events, and asks its
 * coordinator for the rest.
 */
export async function openDashboard(
  settings: Pick<Settings, 'dashboard' | 'keyFile'>,
  { clock }: CliContext,
  { renderer, observe }: Pick<Output, 'renderer' | 'observe'>,
  program?: string,
): Promise<Dashboard | undefined> {
  const { dashboard: port, keyFile } = settings;
  if (port === undefined || port === false) return undefined;
  // Unnamed wait: it opens a port of this machine.
  const dashboard = await servePage(port, { clock, program });
  const stopping = new AbortController();
  renderer.note(`watch the run: ${dashboard.url}`);
  observe({
    listen(event) {
      dashboard.event(event);
      if (event.event !== 'listening') return;
      const { address } = event;
      followCoordinator({
        ...{ address, dashboard, clock, signal: stopping.signal, withEvents: false, keyFile },
        deadlineMs: ANSWER_DEADLINE_MS,
      }).catch(() => {});
    },
    async close() {
      stopping.abort();
      // Unnamed wait: connections are cut after a second.
      await dashboard.close();
    },
  });
  return dashboard;
}

/**
 * Asks a coordinator again and again, and shows what it says; that it does not answer is shown, too.
 * Rejects as soon as the signal aborts.
 * @param init.withEvents asks for all that it has told, too; else it is asked while somebody looks
 */
export async function followCoordinator(init: {
  readonly address: string;
  readonly dashboard: Dashboard;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly withEvents: boolean;
  readonly deadlineMs: number;
  readonly keyFile: LinkSettings['keyFile'];
}): Promise<never> {
  const { address, dashboard, clock, signal, deadlineMs, keyFile } = init;
  const connectDeadlineMs = CONNECT_SHARE * deadlineMs;
  const options = { connectDeadlineMs, sharedMemory: false, clock };
  // Unnamed wait: a small file of this machine.
  const transport = await openZmqTransport({ keyFile }, options);
  const asking: Asking = { address, transport, clock, signal, deadlineMs };
  let place: HistoryPlace = { begun: 0, next: 0 };

  /** Whether there is more to ask for at once. */
  async function ask(): Promise<boolean> {
    // Unnamed wait: what it awaits names its own waits.
    const report = await askHistory({
      ...asking,
      ...(init.withEvents && { history: place }),
    }).catch(() => undefined);
    if (signal.aborted) return false;
    const { events, more, ...next } = report?.history ?? { ...place, events: [], more: false };
    for (const told of events) {
      const event = readEvent(told);
      if (event !== undefined) dashboard.event(event);
    }
    dashboard.status(address, report?.status);
    place = next;
    return more;
  }

  for (;;) {
    if (init.withEvents || dashboard.watched())
      // Unnamed wait: what it awaits names its own waits.
      while (await ask()) if (signal.aborted) break;
    // Unnamed wait: it is the pause between two answers.
    await pause(WATCH_MS, clock, signal);
  }
}
