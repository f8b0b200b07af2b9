import { crossCheck } from '@tutti/config';
import { type LocalOptions, loadProgram, runLocal } from '@tutti/launch';
import { errorToRecord } from '@tutti/runtime';
import { failedEvent } from '@tutti/telemetry';
import { setArithmeticEnvironment } from '../arithmetic-environment.js';
import type { CliContext } from '../context.js';
import { runFolder } from '../folders.js';
import { deadlinesOf, jobSettings } from '../job-settings.js';
import { createOutput } from '../output.js';
import { reported } from '../reported.js';
import { type Flags, settingsFor } from '../settings.js';

/** `tutti train <program>`: the whole job on this machine. */
export async function train(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('train', flags, context, path);
  const { settings, sources } = resolved;
  setArithmeticEnvironment(context.environment, resolved);
  const { program } = await loadProgram(path);
  const shards = settings.shards ?? program.shards;
  if (shards !== undefined) {
    crossCheck({ ...settings, shards }, { shards: `program ${path}`, ...sources });
  }
  const { renderer } = createOutput(settings, context);
  const options: LocalOptions = {
    ...jobSettings(settings),
    // A number that nobody asked for gives way to the program.
    workers:
      sources.workers === 'default'
        ? Math.min(settings.workers, shards ?? settings.workers)
        : settings.workers,
    servers: settings.servers,
    ...(settings.minWorkers === undefined ? {} : { minWorkers: settings.minWorkers }),
    deadlines: deadlinesOf(settings),
    checkpointDir: settings.checkpointDir ?? runFolder(program.name ?? 'program'),
    signal: context.signal,
    onEvent: renderer,
    onLine: (name, line) => renderer.note(`${name}: ${line}`),
  };
  try {
    await runLocal(path, options).result;
  } catch (error) {
    renderer(failedEvent(errorToRecord(error)));
    throw reported(error);
  } finally {
    renderer.close();
  }
}
