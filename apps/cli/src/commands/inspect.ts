import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { toTuttiError } from '@tutti/runtime';
import { withOutput } from '../output/output.js';
import { sharingText } from '../output/sharing-text.js';
import type { CliContext } from '../process/context.js';
import { monitorsOf } from '../process/monitors.js';
import { inspectedProgram } from '../programs/inspected-program.js';
import { loadProgram } from '../programs/load-program.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/** `tutti inspect <program>`: what its weights are made of, and what that costs. */
export async function inspect(path: string, flags: Flags, context: CliContext): Promise<void> {
  const { settings } = await settingsFor('inspect', flags, context, path);
  await withOutput(settings, context, async ({ renderer, result }) => {
    const { monitor } = monitorsOf(context, renderer);
    const { program } = await loadProgram(path, context, { monitor, renderer });
    const { report, picture } = await inspectedProgram(program, context, renderer);
    const plot = settings.plot === undefined ? undefined : resolve(settings.plot);
    if (plot !== undefined) {
      const writing = writeFile(plot, picture).catch((error) => {
        const what = `The picture could not be written to ${plot}`;
        throw toTuttiError(error, 'STORAGE', what, 'Choose a file in a folder that is writable.');
      });
      await monitor.race(writing, {
        who: 'the disk',
        what: `take ${plot}`,
        remedy: 'See whether it is full, or slow.',
      });
    }
    result(
      { event: 'inspected', ...report, ...(plot && { plot }) },
      [sharingText(report), ...(plot ? ['', `wrote ${plot}`] : [])].join('\n'),
    );
  });
}
