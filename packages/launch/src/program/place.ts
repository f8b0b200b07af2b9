import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of all packages of Tutti. */
const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));
/** The command line lies beside it. */
const APPS = `${dirname(PACKAGES)}${sep}apps${sep}`;

/** File, line and column of each call on the stack, the innermost first; Node's own left out. */
function placesOf(thrown: unknown): readonly string[] {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const frames = stack.matchAll(/(?:\(|at )(?:file:\/\/)?(\/[^()\n]+:\d+:\d+)\)?$/gm);
  return [...frames].map(([, place]) => place!);
}

const isOurs = (place: string) => place.startsWith(PACKAGES) || place.startsWith(APPS);
const isInstalled = (place: string) => place.includes(`${sep}node_modules${sep}`);

/**
 * File, line and column of the innermost call in some folder, or else in anything that is neither
 * Tutti's nor installed, so of the program. Only if the lines are those of its source.
 */
export function placeOf(thrown: unknown, folder?: string): string | undefined {
  if (!process.sourceMapsEnabled) return undefined;
  return placesOf(thrown).find((place) =>
    folder === undefined ? !isOurs(place) && !isInstalled(place) : place.startsWith(folder + sep),
  );
}

/** Whether all that is known of where it was thrown is Tutti's: no part of it is the program's. */
export function isOfTutti(thrown: unknown): boolean {
  const places = placesOf(thrown);
  return places.some(isOurs) && places.every((place) => isOurs(place) || isInstalled(place));
}
