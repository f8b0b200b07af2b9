import type { SharingReport } from '@tutti/parameters';
import { withCleanUp } from '@tutti/runtime';
import type { Renderer } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { inspectProgram, openWithoutData } from '@tutti/worker/internal';
import type { CliContext } from '../process/context.js';
import { monitorsOf } from '../process/monitors.js';

/** What the weights of a program are made of, and a picture of it. Its data are not opened. */
export async function inspectedProgram(
  program: Program,
  context: CliContext,
  renderer: Renderer,
): Promise<{ readonly report: SharingReport; readonly picture: string }> {
  const { monitor, closing } = monitorsOf(context, renderer);
  const { computation, close } = await openWithoutData(program, monitor, closing);
  return withCleanUp(close, () => {
    const { report, picture } = inspectProgram(program, computation);
    return { report, picture: picture(program.name ?? 'program') };
  });
}
