import { readStoredEvents } from '@tutti/dashboard';
import { TuttiError } from '@tutti/runtime';
import { type Output, withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { monitorsOf } from '../process/monitors.js';
import { followCoordinator, servePage } from '../runs/dashboards.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/** `tutti dashboard [run]`: a page for a job that runs elsewhere, or for a run that is over. */
export async function dashboard(
  run: string | undefined,
  { port, ...flags }: Flags,
  context: CliContext,
): Promise<void> {
  const { settings, sources } = await settingsFor('dashboard', flags, context);
  if (run !== undefined && sources.coordinator?.startsWith('flag'))
    throw new TuttiError('BAD_CONFIG', `Both a run (${run}) and --coordinator were given`, {
      remedy:
        'Give one of them: the folder of a run that is over, or the address of a running job.',
    });
  const wanted = portOf(port);
  const { clock, signal } = context;
  await withOutput(settings, context, async (output) => {
    const { monitor } = monitorsOf(context, output.renderer);
    const stored =
      run === undefined
        ? undefined
        : await monitor.race(readStoredEvents(run), {
            who: 'the disk',
            what: `give the events of ${run}`,
            remedy: 'See whether it answers.',
          });
    // Unnamed wait: it opens a port of this machine.
    const page = await servePage(wanted, { clock });
    try {
      if (stored === undefined) {
        const { coordinator: address, answerDeadlineMs: deadlineMs, keyFile } = settings;
        tell(output, page.url, `follows the job at ${address}`);
        // Unnamed wait: it goes on until somebody ends it.
        await followCoordinator({
          ...{ address, dashboard: page, clock, signal, deadlineMs, keyFile, withEvents: true },
        });
      } else {
        for (const event of stored.events) page.event(event);
        page.complete();
        tell(output, page.url, `shows ${stored.file}`);
        // Unnamed wait: it goes on until somebody ends it.
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      // Unnamed wait: connections are cut after a second.
      await page.close();
    }
  });
}

const tell = ({ result }: Output, url: string, what: string) =>
  result({ event: 'serving', url }, `${url} ${what}; Ctrl-C ends it`);

function portOf(port: unknown): number | true {
  if (port === undefined) return true;
  if (/^\d+$/.test(String(port)) && Number(port) <= 65535) return Number(port);
  throw new TuttiError('BAD_CONFIG', `--port is ${port}, but it must be a port from 0 to 65535`, {
    remedy: 'Give another one, or 0 for one that is free.',
  });
}
