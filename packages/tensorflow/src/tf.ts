import type * as tfjs from '@tensorflow/tfjs-node';
import type { Tensorflow as Tf } from '@tutti/tensorflow-setup/internal';
import { loadTf } from './load.js';
import { watchAssignments } from './model/assigned-variables.js';

export type { Tf };

let loaded: Tf | undefined;

/**
 * All of TensorFlow.js. The native library is loaded when something of it is first used, so a
 * process that only reads a program's settings (a coordinator) never pays for it.
 */
export const tf: Tf = new Proxy({} as Tf, {
  get: (_target, name) => Reflect.get(use(), name),
  has: (_target, name) => Reflect.has(use(), name),
  ownKeys: () => Reflect.ownKeys(use()),
  getOwnPropertyDescriptor: (_target, name) => {
    const descriptor = Reflect.getOwnPropertyDescriptor(use(), name);
    return descriptor && { ...descriptor, configurable: true };
  },
});

function use(): Tf {
  if (loaded === undefined) {
    loaded = loadTf();
    watchAssignments(loaded);
  }
  return loaded;
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
