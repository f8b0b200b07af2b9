import { createRequire } from 'node:module';
import { TuttiError } from '@tutti/runtime';
import { restoreRemovedUtilities } from './node-shim.js';
import { oneDnnHere } from './onednn.js';
import { tfjsNodeFolder } from './paths.js';
import { setupCommand } from './setup-command.js';

export type Tensorflow = typeof import('@tensorflow/tfjs-node');

const require = createRequire(import.meta.url);

/**
 * Loads tfjs-node with its native library into this process; later calls return the same module.
 * The thread counts and oneDNN settings of TensorFlow are read from the environment at this moment;
 * oneDNN is switched on there if that is safe (`chooseOneDnn`).
 *
 * @throws TuttiError NO_TENSORFLOW if there is no native binding that loads.
 */
export function loadTensorflow(): Tensorflow {
  tfjsNodeFolder();
  restoreRemovedUtilities(require('node:util'));
  // Otherwise the library writes advice about CPU instructions to stderr at every start.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const { setting } = oneDnnHere();
  if (setting !== undefined) process.env.TF_ENABLE_ONEDNN_OPTS = setting;
  const mapped = process.sourceMapsEnabled;
  // Node.js would read and keep the source maps of all of TensorFlow.js: a third of the time that this takes.
  process.setSourceMapsEnabled(false);
  try {
    return require('@tensorflow/tfjs-node') as Tensorflow;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new TuttiError('NO_TENSORFLOW', `Native TensorFlow does not load: ${reason}`, {
      remedy: `Have it set up: ${setupCommand()}. \`npx tutti doctor\` shows what is missing, and whose it is.`,
      cause: error,
    });
  } finally {
    process.setSourceMapsEnabled(mapped);
  }
}
