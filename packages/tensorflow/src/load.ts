import { createRequire } from 'node:module';
import { loadTensorflow, type Tensorflow } from '@tutti/tensorflow-setup/internal';

const require = createRequire(import.meta.url);

/** TensorFlow.js, and which of its backends computes everything. */
export interface LoadedTf {
  readonly tf: Tensorflow;
  readonly backend: 'tensorflow' | 'cpu';
}

/**
 * Loads TensorFlow.js, once per process: on native TensorFlow, or with `TUTTI_TF_BACKEND=cpu` in
 * plain JavaScript (for tests of small dense models).
 * @throws TuttiError NO_TENSORFLOW if there is no native binding that loads
 */
export function loadTf(): LoadedTf {
  if (process.env.TUTTI_TF_BACKEND !== 'cpu')
    return { tf: loadTensorflow(), backend: 'tensorflow' };
  // That of tfjs-node, wherever it is installed.
  const ofTfjsNode = createRequire(require.resolve('@tensorflow/tfjs-node/package.json'));
  const tf = ofTfjsNode('@tensorflow/tfjs') as Tensorflow;
  // A promise only in form: this backend is there at once.
  void tf.setBackend('cpu');
  return { tf, backend: 'cpu' };
}
