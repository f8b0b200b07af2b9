import { dirname } from 'node:path';
import { TuttiError } from '@tutti/runtime';

/** Where a run stands that was interrupted. */
export interface Stop {
  /** Steps that it goes on from. */
  readonly step: number;
  /** The checkpoint of these steps, if there is one. */
  readonly path: string | null | undefined;
  /** The run had come further, and that could not be saved. */
  readonly lost?: { readonly step: number; readonly why: string } | undefined;
}

/**
 * The error that ends an interrupted run. `details.checkpoint` is where it can go on from; `details.lost` is
 * the step that it had come to, if that is gone.
 */
export function stoppedAt({ step, path, lost }: Stop): TuttiError {
  const details = { step, ...(lost && lost.step > step && { lost: lost.step }) };
  const from = details.lost === undefined ? undefined : `Stopped after step ${lost!.step}`;
  if (typeof path === 'string')
    return new TuttiError(
      'ABORTED',
      from === undefined
        ? `Stopped after step ${step}, which is saved in ${path}`
        : `${from}. What came after step ${step}, which is saved in ${path}, is lost: ${lost!.why}`,
      {
        remedy: `Go on with --checkpoint-dir ${dirname(path)} --resume latest.`,
        details: { ...details, checkpoint: path },
      },
    );
  const what = step === 0 ? 'before the first step' : `after step ${step}, which is not saved`;
  return new TuttiError(
    'ABORTED',
    from === undefined ? `Stopped ${what}` : `${from}. All of it is lost: ${lost!.why}`,
    { remedy: 'Start it again when you want it to go on.', details },
  );
}
