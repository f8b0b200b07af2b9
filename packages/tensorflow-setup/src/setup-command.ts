import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);

/**
 * What has native TensorFlow set up, as part of a remedy: a script of the checkout, or the command of
 * a project that installed the packages.
 *
 * @param options.cache a folder for the libraries, set in the environment of the command
 * @param options.from where this package lies; default: where it does
 * @param options.hasCommand whether the command tutti is installed beside it; default: looks
 */
export function setupCommand(
  options: {
    readonly cache?: string;
    readonly from?: string;
    readonly hasCommand?: () => boolean;
  } = {},
): string {
  const { cache, from = HERE, hasCommand = commandIsInstalled } = options;
  const set = cache === undefined ? '' : `TUTTI_CACHE=${cache} `;
  if (!from.split(sep).includes('node_modules')) {
    // packages/tensorflow-setup/<src or dist>/<file>
    return `\`${set}npm run setup\` in ${join(from, '..', '..', '..', '..')}`;
  }
  if (hasCommand()) return `\`${set}npx tutti setup\``;
  // Without it, npx would look for a package of that name, which is not ours.
  return `\`npm install @tutti/cli\`, then \`${set}npx tutti setup\` (a program calls ensureTensorflow() of @tutti/tensorflow-setup)`;
}

function commandIsInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('@tutti/cli/package.json');
    return true;
  } catch {
    return false;
  }
}
