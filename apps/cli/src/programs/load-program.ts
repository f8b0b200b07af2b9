import { type LoadedProgram, loadProgram as load } from '@tutti/launch/internal';
import type { Monitor } from '@tutti/runtime';
import type { Renderer } from '@tutti/telemetry';
import { ensureTensorflow } from '@tutti/tensorflow-setup';
import type { CliContext } from '../process/context.js';

/**
 * Loads the program of a command. One that imports `@tutti/tensorflow` has native TensorFlow set up
 * where nobody has done it yet: it takes minutes once, and no time later.
 *
 * @param ensure sets it up
 * @throws TuttiError BAD_PROGRAM; NO_TENSORFLOW if it cannot be set up
 */
export function loadProgram(
  path: string,
  { environment, signal, clock }: Pick<CliContext, 'environment' | 'signal' | 'clock'>,
  { monitor, renderer }: { readonly monitor: Monitor; readonly renderer: Renderer },
  ensure: typeof ensureTensorflow = ensureTensorflow,
): Promise<LoadedProgram> {
  return load(path, monitor, async (packages) => {
    if (!packages.has('@tutti/tensorflow') || environment.TUTTI_TF_BACKEND === 'cpu') return;
    // Unnamed wait: the set-up says what it waits for.
    await ensure({ report: renderer.note, signal, clock });
  });
}
