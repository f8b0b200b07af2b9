import { toTuttiError } from '@tutti/runtime';

const told = new WeakSet<object>();

/** Marks an error as told to the user already, so that it is not told twice. */
export function reported(thrown: unknown): Error {
  const error = toTuttiError(thrown, 'INTERNAL', 'Unexpected error', 'See the stack.');
  told.add(error);
  return error;
}

export function isReported(error: unknown): boolean {
  return typeof error === 'object' && error !== null && told.has(error);
}
