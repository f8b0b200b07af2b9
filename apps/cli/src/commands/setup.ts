import { ensureTensorflow } from '@tutti/tensorflow-setup';
import { oldDependencies } from '@tutti/tensorflow-setup/internal';
import { checkOldDependencies } from '../doctor/libraries.js';
import { withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/** `tutti setup`: has native TensorFlow set up for the project that this is installed in. */
export async function setup(flags: Flags, context: CliContext): Promise<void> {
  const { settings } = await settingsFor('setup', flags, context);
  const { signal, clock } = context;
  await withOutput(settings, context, async ({ renderer, result }) => {
    // Unnamed wait: what it awaits names its own waits.
    const found = await ensureTensorflow({ report: renderer.note, signal, clock });
    // Unnamed wait: small files of this machine.
    const { status, found: brought, fix } = checkOldDependencies(await oldDependencies());
    if (status !== 'ok') renderer.note(`${brought}.\n${fix}`);
    result(
      { event: 'finished', ...found },
      `Native TensorFlow ${found.tensorflow} is ready (${found.way}).`,
    );
  });
}
