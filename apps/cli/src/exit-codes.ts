import { isTuttiError } from '@tutti/runtime';

export const DONE = 0;
export const FAILED = 1;
export const WRONG_USAGE = 2;
export const INTERRUPTED = 130;

/** The exit code that tells a script how it ended. */
export function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) return INTERRUPTED;
  if (!isTuttiError(error)) return FAILED;
  if (error.code === 'BAD_CONFIG') return WRONG_USAGE;
  return error.code === 'ABORTED' ? INTERRUPTED : FAILED;
}
