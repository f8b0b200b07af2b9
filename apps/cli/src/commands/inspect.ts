import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { toTuttiError } from '@tutti/runtime';
import type { CliContext } from '../context.js';
import { inspectedProgram } from '../inspected-program.js';
import { loadProgram } from '../load-program.js';
import { monitorsOf } from '../monitors.js';
import { withOutput } from '../output.js';
import { type Flags, settingsFor } from '../settings.js';
import { sharingText } from '../sharing-text.js';

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
