import type { SharingReport } from '@tutti/parameters';
import { programError } from '@tutti/runtime';
import type { Renderer } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { inspectProgram } from '@tutti/worker/internal';
import type { CliContext } from '../process/context.js';
import { monitorsOf } from '../process/monitors.js';

/** What the weights of a program are made of, and a picture of it. Its data are not opened. */
export async function inspectedProgram(
  program: Program,
  context: CliContext,
  renderer: Renderer,
): Promise<{ readonly report: SharingReport; readonly picture: string }> {
  const { monitor, closing } = monitorsOf(context, renderer);
  const ofProgram = (what: string) => ({
    who: 'the program',
    what,
    remedy: 'See what it does there, or end this process.',
  });
  const opening = (async () => program.open())().catch((thrown) => {
    throw programError(thrown, 'open()');
  });
  const computation = await monitor.race(opening, ofProgram('open its computation'));
  try {
    const { report, picture } = inspectProgram(program, computation);
    return { report, picture: picture(program.name ?? 'program') };
  } finally {
    const closed = (async () => computation.close?.())();
    await closing.race(closed, ofProgram('close its computation'));
  }
}
