import { loadProgram } from '@tutti/launch';
import { createWorker } from '@tutti/worker';
import { setArithmeticEnvironment } from '../arithmetic-environment.js';
import type { CliContext } from '../context.js';
import { withOutput } from '../output.js';
import { type Flags, settingsFor } from '../settings.js';

/** `tutti worker <program>`: one worker of a job whose coordinator runs elsewhere. */
export async function worker(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('worker', flags, context, path);
  const { settings } = resolved;
  setArithmeticEnvironment(context.environment, resolved);
  await withOutput(settings, context, async ({ json, renderer, log, result }) => {
    const { program, hash } = await loadProgram(path);
    const name = settings.name ?? (settings.rank === undefined ? undefined : `w${settings.rank}`);
    const { coordinator } = settings;
    const running = createWorker({
      program,
      programHash: hash,
      coordinator,
      ...(name === undefined ? {} : { name }),
      deadlineMs: settings.coordinatorDeadlineMs,
      signal: context.signal,
      onEvent(event) {
        if (event.event === 'waiting') renderer(event);
        else if (json) result({ ...event }, '');
        else if (event.event === 'joined') {
          result(event, `${event.worker} joined job ${event.job} at ${coordinator}`);
        } else log.debug('computed', { step: event.step, shards: event.shards });
      },
    }).start();
    const { worker, microBatches } = await running.result;
    result(
      { event: 'finished', worker, microBatches },
      `${worker} is done: ${microBatches} micro-batches computed`,
    );
  });
}
