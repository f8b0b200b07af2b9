import { prepareChildren } from '@tutti/launch/internal';
import { withCleanUp } from '@tutti/runtime';
import { setArithmeticEnvironment } from '../machine/arithmetic-environment.js';
import { defaultWorkers, thisMachine } from '../machine/default-workers.js';
import type { CliContext } from '../process/context.js';
import { type Flags, settingsFor } from '../settings/settings.js';
import { LIKELY_WORKERS } from '../tunables.js';

/** `tutti train <program>`: the whole job on this machine. */
export async function train(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('train', flags, context, path);
  setArithmeticEnvironment(context.environment, resolved);
  const machine = thisMachine();
  const { workers = defaultWorkers(machine, LIKELY_WORKERS) } = resolved.settings;
  const prepared = prepareChildren(path, Math.min(workers, machine.cores));
  // Unnamed wait: what it awaits names its own waits.
  await withCleanUp(
    () => prepared.end(),
    async () => {
      const { trainHere } = await import('../runs/train-here.js');
      return trainHere(path, flags, resolved, prepared, context);
    },
  );
}
