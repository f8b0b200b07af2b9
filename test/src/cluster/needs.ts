import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from 'mocha';

/** Where systems keep what only root usually calls. */
const PLACES = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** Where a command is. */
export function placeOf(command: string): string | undefined {
  return PLACES.map((place) => join(place, command)).find((path) => existsSync(path));
}

/**
 * Skips a suite where something is not there that it needs, and says what. In CI all of it must be
 * there, so that nothing goes untested.
 * @param packages by the commands that show that they are installed, their Debian packages
 */
export function need(
  context: Context,
  init: { readonly root?: boolean; readonly packages?: Readonly<Record<string, string>> },
): void {
  const { root = false, packages = {} } = init;
  const missing = Object.keys(packages).filter((command) => placeOf(command) === undefined);
  const reasons = [
    ...(process.platform === 'linux' ? [] : ['this is not Linux']),
    ...(root && process.getuid?.() !== 0 ? ['this is not root'] : []),
    ...missing.map((name) => `there is no ${name} (apt-get install ${packages[name]})`),
  ];
  if (reasons.length > 0) skip(context, reasons.join(', '));
}

/** Skips, which is a failure in CI. */
export function skip(context: Context, reason: string): never {
  assert.notEqual(process.env.CI, 'true', reason);
  console.warn(`      skipped: ${reason}`);
  return context.skip();
}
