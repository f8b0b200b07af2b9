import { askStatus } from '@tutti/coordinator';
import { openZmqTransport } from '@tutti/transport';
import { withOutput } from '../output/output.js';
import { statusText } from '../output/status-text.js';
import type { CliContext } from '../process/context.js';
import { pause } from '../process/pause.js';
import { type Flags, settingsFor } from '../settings/settings.js';
import { CONNECT_SHARE, WATCH_MS } from '../tunables.js';

/** `tutti status`: asks the coordinator of a running job how it is doing. */
export async function status(flags: Flags, context: CliContext): Promise<void> {
  const { settings } = await settingsFor('status', flags, context);
  const { stdout, signal, clock, environment } = context;
  const terminal = stdout.isTTY === true && environment.TERM !== 'dumb';
  await withOutput(settings, context, async ({ json, result }) => {
    // Unnamed wait: a small file of this machine.
    const transport = await openZmqTransport(
      { keyFile: settings.keyFile },
      {
        connectDeadlineMs: CONNECT_SHARE * settings.answerDeadlineMs,
        sharedMemory: false,
        clock,
      },
    );
    for (;;) {
      const report = await askStatus({
        address: settings.coordinator,
        transport,
        deadlineMs: settings.answerDeadlineMs,
        clock,
        signal,
      });
      if (settings.watch && terminal && !json) stdout.write('\x1b[H\x1b[J');
      result({ event: 'status', ...report }, statusText(report, { colour: terminal }));
      if (!settings.watch) return;
      // Unnamed wait: it is the pause between two answers.
      await pause(WATCH_MS, clock, signal);
    }
  });
}
