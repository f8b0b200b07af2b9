import { toTuttiError } from '@tutti/runtime';

/** On the error itself: commands are loaded when they are needed, whoever loads them. */
const TOLD = Symbol.for('tutti.told');

/** Marks an error as told to the user already, so that it is not told twice. */
export function reported(thrown: unknown): Error {
  const error = toTuttiError(thrown, 'INTERNAL', 'Unexpected error', 'See the stack.');
  return Object.assign(error, { [TOLD]: true });
}

export function isReported(error: unknown): boolean {
  return typeof error === 'object' && error !== null && TOLD in error;
}

const CODE = Symbol.for('tutti.exit-code');

/** What ends a command with an exit code that another process has ended with, which has told why. */
export function exitWith(code: number): Error {
  return Object.assign(new Error(`exit code ${code}`), { [TOLD]: true, [CODE]: code });
}

export function codeOf(error: unknown): number | undefined {
  return (error as { readonly [CODE]?: number } | undefined)?.[CODE];
}
