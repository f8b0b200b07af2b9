import { withOutput } from '../output/output.js';
import { sharingText } from '../output/sharing-text.js';
import { untilDiskTakes, writeWhole } from '../output/write-whole.js';
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
    const { plot: file } = settings;
    const plot =
      file &&
      (await monitor.race(writeWhole(file, Buffer.from(picture)), untilDiskTakes('the picture')));
    result(
      { event: 'inspected', ...report, ...(plot && { plot }) },
      [sharingText(report), ...(plot ? ['', `wrote ${plot}`] : [])].join('\n'),
    );
  });
}
