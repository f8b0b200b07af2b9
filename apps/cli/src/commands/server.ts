import { beginTimeline } from '@tutti/launch/internal';
import { withCleanUp } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import { replacedText } from '@tutti/server/internal';
import { openZmqTransport } from '@tutti/transport';
import { withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { roleSettings } from '../settings/role-settings.js';
import { type Flags, settingsFor } from '../settings/settings.js';
import { LAST_CAPTURE_MS } from '../tunables.js';

/** `tutti server`: one parameter server; the coordinator connects to it and opens the job. */
export async function server(flags: Flags, context: CliContext): Promise<void> {
  const { settings } = await settingsFor('server', flags, context);
  await withOutput(settings, context, async ({ log, renderer, result }) => {
    let replaced = false;
    let holding = false;
    const stopping = new AbortController();
    const { clock, signal, onStop } = context;
    onStop?.((name) => {
      if (name === 'SIGINT' || !holding) return false;
      renderer.note(`${name}: ends with its job, or in ${LAST_CAPTURE_MS / 1000} s`);
      clock.after(LAST_CAPTURE_MS, () => stopping.abort());
      return true;
    });
    const roles = roleSettings(settings);
    // Unnamed wait: a file of this machine.
    const timeline = await beginTimeline(settings, renderer);
    // Unnamed wait: it opens a port of this machine.
    const running = await createServer({
      address: settings.listen ?? 'tcp://127.0.0.1:0',
      // Unnamed wait: a small file of this machine.
      transport: await openZmqTransport(roles),
      settings: roles,
      signal: AbortSignal.any([signal, stopping.signal]),
      timeline: timeline?.track('server'),
      onEvent(event) {
        if (event.event === 'waiting') renderer({ ...event, by: 'this server' });
        else if (event.event === 'refused') {
          log.warn(`refused ${event.peer}: ${event.reason}`);
        } else if (event.event === 'full') {
          log.warn(`nobody else can connect for now: ${event.reason}. ${event.remedy}`);
        } else if (event.event === 'replaced') {
          replaced = true;
          result(event, replacedText('this server', event));
        } else {
          holding = true;
          result(event, `holds ${event.chunks} chunks of job ${event.job}`);
        }
      },
    }).start();
    const [address] = running.addresses;
    result({ event: 'listening', address }, `server listens at ${address}`);
    // Unnamed wait: what it awaits names its own waits.
    await withCleanUp(
      () => timeline?.close(),
      () => running.result,
    );
    if (!replaced) result({ event: 'finished' }, 'the job is finished');
  });
}
