import type * as tfjs from '@tensorflow/tfjs-node';
import { TuttiError } from '@tutti/runtime';
import type { Tensorflow as Tf } from '@tutti/tensorflow-setup/internal';
import { watchAssignments } from './assigned-variables.js';
import { type LoadedTf, loadTf } from './load.js';

export type { Tf };

interface Own extends LoadedTf {
  /** The backend itself, which a reset of tfjs' engine replaces. */
  readonly instance: object | null;
}

let loaded: Own | undefined;

/**
 * All of TensorFlow.js. The native library is loaded when something of it is first used, so a
 * process that only reads a program's settings (a coordinator) never pays for it.
 */
export const tf: Tf = new Proxy({} as Tf, {
  get: (_target, name) => Reflect.get(use().tf, name),
  has: (_target, name) => Reflect.has(use().tf, name),
  ownKeys: () => Reflect.ownKeys(use().tf),
  getOwnPropertyDescriptor: (_target, name) => {
    const descriptor = Reflect.getOwnPropertyDescriptor(use().tf, name);
    return descriptor && { ...descriptor, configurable: true };
  },
});

function use(): Own {
  if (loaded === undefined) {
    const { tf, backend } = loadTf();
    loaded = { tf, backend, instance: tf.findBackend(backend) };
    watchAssignments(tf);
  }
  return loaded;
}

/**
 * tfjs has one current backend for the process, which any code in it may change. Results of another
 * have other bits, and no graphs.
 * @param cause what was thrown since the last look
 * @throws TuttiError PROGRAM_FAILED unless it is the one that this process computes with
 */
export function checkBackend(cause?: unknown): void {
  const { tf, backend, instance } = use();
  const current = tf.getBackend();
  if (current === backend && tf.findBackend(backend) === instance) return;
  const now = current === backend ? 'one that was made anew' : `"${current}"`;
  throw new TuttiError(
    'PROGRAM_FAILED',
    `The backend of TensorFlow.js in this process is ${now}, no longer "${backend}": results would have other bits`,
    {
      remedy:
        'Leave out tf.setBackend, in the program and in what else runs in its process; TUTTI_TF_BACKEND=cpu has all of it computed in plain JavaScript.',
      details: { backend: current ?? 'none', expected: backend },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** The types that programs name most: `tf.Tensor`, `tf.LayersModel`, ... */
export declare namespace tf {
  type Tensor<R extends tfjs.Rank = tfjs.Rank> = tfjs.Tensor<R>;
  type Scalar = tfjs.Scalar;
  type Tensor1D = tfjs.Tensor1D;
  type Tensor2D = tfjs.Tensor2D;
  type Tensor3D = tfjs.Tensor3D;
  type Tensor4D = tfjs.Tensor4D;
  type Variable = tfjs.Variable;
  type LayersModel = tfjs.LayersModel;
  type Sequential = tfjs.Sequential;
  type SymbolicTensor = tfjs.SymbolicTensor;
  namespace layers {
    type Layer = tfjs.layers.Layer;
  }
}
