import { isTuttiError } from '@tutti/runtime';
import type { CliContext } from './context.js';
import { codeOf } from './reported.js';
import { exitCodeOfSignal } from './stop-signals.js';

export const DONE = 0;
export const FAILED = 1;
export const WRONG_USAGE = 2;

/** The code of a command that was stopped: by Ctrl-C, if nobody knows better. */
export function stoppedCode({ stoppedBy }: Pick<CliContext, 'stoppedBy'>): number {
  return exitCodeOfSignal(stoppedBy?.() ?? 'SIGINT');
}

/** The exit code that tells a script how it ended. */
export function exitCodeOf(error: unknown, context: CliContext): number {
  const given = codeOf(error);
  if (given !== undefined) return given;
  if (context.signal.aborted) return stoppedCode(context);
  if (!isTuttiError(error)) return FAILED;
  if (error.code === 'BAD_CONFIG') return WRONG_USAGE;
  return error.code === 'ABORTED' ? stoppedCode(context) : FAILED;
}
