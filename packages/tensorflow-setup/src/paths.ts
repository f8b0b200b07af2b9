import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { TuttiError } from '@tutti/runtime';
import { setupCommand } from './setup-command.js';

const require = createRequire(import.meta.url);

/**
 * The folder of the installed package @tensorflow/tfjs-node, a peer that projects install themselves.
 * @throws TuttiError NO_TENSORFLOW if it is not installed
 */
export function tfjsNodeFolder(): string {
  try {
    return dirname(require.resolve('@tensorflow/tfjs-node/package.json'));
  } catch (cause) {
    throw new TuttiError('NO_TENSORFLOW', 'The package @tensorflow/tfjs-node is not installed', {
      remedy: `Install it (\`npm install --ignore-scripts @tensorflow/tfjs-node@4\`) and have it set up: ${setupCommand()}.`,
      cause,
    });
  }
}

/** Where tfjs-node 4.22 looks for its addon: it supports N-API 3 to 8 and takes the highest. */
export function bindingPath(tfjsNode: string): string {
  return join(tfjsNode, 'lib', 'napi-v8', 'tfjs_binding.node');
}

/**
 * The folder of this user's that all checkouts share: `TUTTI_CACHE`, else `XDG_CACHE_HOME/tutti`,
 * else `~/.cache/tutti`. A user without a home folder needs one of the first two. A relative XDG_CACHE_HOME is ignored, as the XDG specification asks.
 */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>>,
  home: () => string = homedir,
): string {
  const { TUTTI_CACHE: own, XDG_CACHE_HOME: xdg } = environment;
  if (own) return resolve(own);
  if (xdg && isAbsolute(xdg)) return join(xdg, 'tutti');
  try {
    return join(home(), '.cache', 'tutti');
  } catch (cause) {
    throw new TuttiError('NO_TENSORFLOW', 'This user has no home folder to keep TensorFlow in', {
      remedy: 'Name a folder with TUTTI_CACHE.',
      cause,
    });
  }
}
