import { basename, dirname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this package lies beside its siblings: `node_modules/@tutti`, or `apps` of a checkout. */
const HERE = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const OURS = basename(HERE) === 'apps' ? [HERE, resolve(HERE, '..', 'packages')] : [HERE];

/**
 * A stack to the last of its frames that is of somebody else: what a program was called by says nothing
 * of its fault.
 * @param ours folders of whose frames nothing is to be said
 */
export function programStack(stack: string, ours: readonly string[] = OURS): string {
  const lines = stack.split('\n');
  const isOfOthers = (line: string) =>
    /^\s+at (?!.*\(?node:).*\//.test(line) && !ours.some((folder) => line.includes(folder + sep));
  const last = lines.findLastIndex(isOfOthers);
  return last < 0 ? stack : lines.slice(0, last + 1).join('\n');
}
