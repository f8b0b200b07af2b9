import { closest } from './closest.js';
import { type ErrorCode, TuttiError } from './errors.js';
import { showValue } from './show-value.js';

/**
 * Refuses what is no object, and keys that nobody reads. A program runs without a check of its
 * types: what is misspelt in it would be ignored in silence.
 * @param what how the reader calls it, such as "defineTraining"
 * @throws TuttiError of `code`
 */
export function checkKeys<Given extends object>(
  what: string,
  given: Given,
  known: Readonly<Record<keyof Given, true>>,
  code: ErrorCode = 'BAD_PROGRAM',
): void {
  const names = Object.keys(known);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new TuttiError(code, `${what} takes an object, not ${showValue(given)}`, {
      remedy: `Known keys are: ${names.join(', ')}.`,
      details: { known: names },
    });
  const key = Object.keys(given).find((name) => !names.includes(name));
  if (key === undefined) return;
  const meant = closest(key, names);
  const remedy = `Known are: ${names.join(', ')}.`;
  throw new TuttiError(code, `${what} takes no "${key}"`, {
    remedy: meant === undefined ? `Remove it. ${remedy}` : `Did you mean ${meant}? ${remedy}`,
    details: { key, known: names },
  });
}
