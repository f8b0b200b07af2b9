import { createKeyFile } from '@tutti/transport';
import { withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/** `tutti keys <file>`: makes the key of a job. */
export async function keys(path: string, flags: Flags, context: CliContext): Promise<void> {
  const { settings } = await settingsFor('keys', flags, context);
  await withOutput(settings, context, async ({ result }) => {
    // Unnamed wait: a small file of this machine.
    await createKeyFile(path);
    result(
      { event: 'finished', keyFile: path },
      `${path} is a new key. Copy it to all machines of the job, and give it to all processes: --key-file ${path}`,
    );
  });
}
