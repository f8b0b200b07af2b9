import { setFlagsFromString } from 'node:v8';
import { beginTimeline, type HostedServer, SELDOM_MARKING } from '@tutti/launch/internal';
import { withCleanUp } from '@tutti/runtime';
import { noticeEvent } from '@tutti/telemetry';
import { openZmqTransport } from '@tutti/transport';
import { createWorker, type RunningWorker } from '@tutti/worker';
import { watchForEnd } from '@tutti/worker/internal';
import { hostOwnServer, refuseUnstartedServers } from '../cluster/hosting.js';
import { setArithmeticEnvironment } from '../machine/arithmetic-environment.js';
import { withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { DONE } from '../process/exit-codes.js';
import { monitorsOf } from '../process/monitors.js';
import { exitWith } from '../process/reported.js';
import { loadProgram } from '../programs/load-program.js';
import { roleSettings } from '../settings/role-settings.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/**
 * `tutti worker <program>`: one worker of a job whose coordinator runs elsewhere. SIGTERM, and a
 * closed terminal, make it finish what it computes, hand it over and end with 0.
 */
export async function worker(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('worker', flags, context, path);
  const { settings, sources } = resolved;
  // A number from elsewhere is for the command that starts all.
  if (sources.servers?.startsWith('flag')) refuseUnstartedServers(resolved);
  const colocated = settings.servers === 'colocated';
  setArithmeticEnvironment(context.environment, resolved);
  setFlagsFromString(SELDOM_MARKING);
  await withOutput(settings, context, async ({ json, renderer, log, result }) => {
    let running: RunningWorker | undefined;
    let hosted: HostedServer | undefined;
    let [joined, leaving] = [false, false];
    // Who has not joined has nothing to hand over.
    const unjoined = new AbortController();
    let over: { readonly error: Error | undefined } | undefined;
    let watch: ReturnType<typeof watchForEnd> | undefined;
    const signal = AbortSignal.any([context.signal, unjoined.signal]);
    context.onStop?.((name) => {
      if (name === 'SIGINT') return false;
      leaving = true;
      if (joined) void running?.leave();
      else unjoined.abort();
      return true;
    });
    try {
      const roles = roleSettings(settings);
      // Unnamed wait: a file of this machine.
      const timeline = await beginTimeline(settings, renderer);
      // Before the program, which takes longer.
      // Unnamed wait: a small file of this machine.
      const sockets = await openZmqTransport(roles);
      const own = colocated
        ? // Unnamed wait: it opens a port of this machine.
          await hostOwnServer(resolved, sockets, renderer, timeline?.track('server'))
        : undefined;
      hosted = own;
      const transport = own?.transport ?? sockets;
      const { coordinator } = settings;
      watch = watchForEnd({
        ...{ coordinator, transport, clock: context.clock },
        onFound: () => log.debug(`${coordinator} has a job; this worker joins when it has loaded`),
        onEnd(error) {
          if (joined) return;
          over = { error };
          unjoined.abort();
        },
      });
      const { monitor } = monitorsOf({ ...context, signal }, renderer);
      const { program, hash } = await loadProgram(path, context, { monitor, renderer });
      const name = settings.name ?? (settings.rank === undefined ? undefined : `w${settings.rank}`);
      running = createWorker({
        program,
        programHash: hash,
        coordinator,
        ...(name === undefined ? {} : { name }),
        transport,
        server: own?.address,
        settings: roles,
        signal,
        timeline: timeline?.track(name ?? 'worker'),
        onEvent(event) {
          if (event.event === 'joined') {
            joined = true;
            void watch?.close();
            context.onJoined?.();
          }
          if (event.event === 'waiting') renderer({ ...event, by: 'this worker' });
          else if (event.event === 'noticed') renderer(noticeEvent(event));
          else if (json) result({ ...event }, '');
          else if (event.event === 'joined') {
            result(event, `${event.worker} joined job ${event.job} at ${coordinator}`);
          } else log.debug(`computed step ${event.step}: shards ${event.shards.join(', ')}`);
        },
      }).start();
      const { result: ended } = running;
      // Unnamed wait: what it awaits names its own waits.
      const { worker, microBatches } = await withCleanUp(
        () => timeline?.close(),
        async () => {
          // Unnamed wait: what it awaits names its own waits.
          const done = await ended;
          if (leaving && hosted?.holding())
            renderer.note(
              'This worker has left. Its server holds its part of the weights until the job is over; a second SIGTERM ends it at once, and takes the job back to its last checkpoint.',
            );
          // Unnamed wait: what it awaits names its own waits.
          await hosted?.end(leaving && !context.signal.aborted);
          return done;
        },
      );
      result(
        { event: 'finished', worker, microBatches },
        `${worker} is done: ${microBatches} micro-batches computed`,
      );
    } catch (error) {
      if (!unjoined.signal.aborted) throw error;
      if (over?.error !== undefined) throw over.error;
      renderer.note(
        over === undefined
          ? 'This worker leaves before it has joined.'
          : 'The job is over: it ended before this worker had joined.',
      );
    } finally {
      await hosted?.end(false);
      // Unnamed wait: what it has said is not waited for.
      await watch?.close();
    }
    if (leaving && settings.drainedExitCode !== DONE) throw exitWith(settings.drainedExitCode);
  });
}
