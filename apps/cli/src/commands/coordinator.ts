import { DEFAULT_COORDINATOR } from '@tutti/config';
import { createCoordinator, type ServerAddress } from '@tutti/coordinator';
import { DEFAULT_WORKERS } from '@tutti/coordinator/internal';
import { beginTimeline } from '@tutti/launch/internal';
import { checkpointsOf, timedCheckpoints } from '@tutti/run';
import { mostOpenFiles, TuttiError } from '@tutti/runtime';
import type { RunningServer } from '@tutti/server';
import { openZmqTransport } from '@tutti/transport';
import { advertised } from '../cluster/advertised.js';
import { refuseUnstartedServers } from '../cluster/hosting.js';
import { startServerBeside } from '../cluster/server-beside.js';
import { fewOpenFiles } from '../machine/open-files.js';
import { runsFolder } from '../output/folders.js';
import { withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { goingOnWith, interruptionOf } from '../process/interruption.js';
import { reported } from '../process/reported.js';
import { openDashboard } from '../runs/dashboards.js';
import { observeRun } from '../runs/observers.js';
import { keepRun } from '../runs/report.js';
import { announceTimeline } from '../runs/timelines.js';
import { commandAgain } from '../settings/handed-on.js';
import { roleSettings } from '../settings/role-settings.js';
import { type Flags, settingsFor } from '../settings/settings.js';
import { FILES_OF_WORKER } from '../tunables.js';

/**
 * `tutti coordinator`: waits for the workers and trains. With --server-addresses it uses those
 * parameter servers, with --servers colocated those that workers host; else it hosts one.
 */
export async function coordinator(flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('coordinator', flags, context);
  const { settings, sources } = resolved;
  refuseUnstartedServers(resolved);
  const colocated = settings.servers === 'colocated';
  const roles = roleSettings(settings);
  const { workers } = roles;
  if (workers === 0) {
    throw new TuttiError('BAD_CONFIG', `workers (${sources.workers}) is 0: nobody would compute.`, {
      remedy: 'Give at least 1, or train in one process with `tutti train --workers 0`.',
    });
  }
  await withOutput(settings, context, async (output) => {
    const { renderer, result, observe } = output;
    await openDashboard(settings, context, output);
    observe(keepRun(output, context.clock));
    // Unnamed wait: modules of this machine.
    await observeRun(settings, context, output);
    const few = fewOpenFiles(workers ?? DEFAULT_WORKERS, FILES_OF_WORKER, mostOpenFiles());
    if (few !== undefined) renderer(few);
    announceTimeline(settings, output);
    // Unnamed wait: a file of this machine.
    const file = await beginTimeline(settings, renderer);
    const stopping = new AbortController();
    const signal = AbortSignal.any([context.signal, stopping.signal]);
    let hosted: RunningServer | undefined;
    try {
      // Unnamed wait: a small file of this machine.
      const transport = await openZmqTransport(roles);
      const servers: ServerAddress[] = (settings.serverAddresses ?? []).map((connect) => ({
        connect,
      }));
      const address = settings.listen ?? DEFAULT_COORDINATOR;
      if (servers.length === 0 && !colocated) {
        // Unnamed wait: it opens a port of this machine.
        const beside = await startServerBeside(address, {
          ...{ transport, settings: roles, signal, renderer },
          timeline: file?.track('server'),
        });
        hosted = beside.running;
        const { address: told, warning } = await advertised(beside.address, settings.advertise);
        if (warning !== undefined) renderer(warning);
        servers.push({ ...beside.inside, public: told });
      }
      const command = context.startedAs ?? commandAgain('coordinator', flags);
      const interruption = interruptionOf(context, output, goingOnWith(command));
      const timeline = file?.track('coordinator');
      const checkpoints = checkpointsOf({ ...roles, runsDir: runsFolder });
      // Unnamed wait: it opens a port of this machine.
      const running = await createCoordinator({
        address,
        servers: colocated ? 'colocated' : servers,
        settings: roles,
        ...timedCheckpoints(checkpoints, timeline),
        transport,
        signal,
        interrupt: interruption.signal,
        onEvent: renderer,
        timeline,
      }).start();
      result(
        { event: 'listening', address: running.address },
        `coordinator listens at ${running.address} and waits for ${workers === undefined ? '' : `${workers} `}${workers === 1 ? 'worker' : 'workers'}${colocated ? ', servers included' : ''}`,
      );
      const { unsaved } = await interruption.sayingHowToGoOn(running.result);
      // The last event has told it.
      if (unsaved !== undefined) throw reported(unsaved);
    } finally {
      stopping.abort();
      await hosted?.stop();
      file?.close();
    }
  });
}
