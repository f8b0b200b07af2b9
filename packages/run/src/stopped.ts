import { dirname } from 'node:path';
import { TuttiError } from '@tutti/runtime';

/**
 * The error that ends an interrupted run. `details.checkpoint` is where it can go on from.
 * @param init.step steps that are done
 * @param init.path of the checkpoint of these steps, if there is one
 */
export function stoppedAt({
  step,
  path,
}: {
  readonly step: number;
  readonly path: string | null | undefined;
}): TuttiError {
  if (typeof path === 'string')
    return new TuttiError('ABORTED', `Stopped after step ${step}, which is saved in ${path}`, {
      remedy: `Go on with --checkpoint-dir ${dirname(path)} --resume latest.`,
      details: { step, checkpoint: path },
    });
  const lost = step === 0 ? 'before the first step' : `after step ${step}, which is not saved`;
  return new TuttiError('ABORTED', `Stopped ${lost}`, {
    remedy: 'Start it again when you want it to go on.',
    details: { step },
  });
}
