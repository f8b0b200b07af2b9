import type { SoftmaxCrossEntropy } from '../losses/losses.js';
import { tf as lazy, type Tf } from '../tf.js';
import { overriding } from '../tfjs/overrides.js';
import { createNative } from './backend.js';
import { accelerateBiasAdd } from './bias-add.js';
import { accelerateGather } from './gather.js';
import { mendKinks } from './kinks.js';
import { accelerateMaxPool } from './max-pool.js';
import { accelerateRelu } from './relu.js';
import { accelerateSigmoid } from './sigmoid.js';
import { nativeSoftmaxCrossEntropy, plainSoftmaxCrossEntropy } from './softmax-cross-entropy.js';
import { mendStridedPointwise } from './strided-pointwise.js';

/** Faster native operations behind tfjs' own, in effect only inside `run`. */
export interface Acceleration {
  readonly enabled: boolean;
  /** `task` must be synchronous and take first-order gradients only. */
  run<T>(task: () => T): T;
  /** Inside of `run`: does nothing that a graph cannot do. A session finds the rest by itself. */
  recording<T>(task: () => T): T;
  readonly softmaxCrossEntropy: SoftmaxCrossEntropy;
}

/** tfjs as it comes. */
export const noAcceleration: Acceleration = {
  enabled: false,
  run: (task) => task(),
  recording: (task) => task(),
  softmaxCrossEntropy: (labels, logits) => plainSoftmaxCrossEntropy(lazy)(labels, logits),
};

// Kernels are registered once in tfjs' own registry, which the process has one of.
const installed = new WeakMap<object, Acceleration>();

/**
 * Installs the replacements, once for a TensorFlow.js; on other backends there is nothing to do.
 *
 * Not MatMul for BatchMatMulV2, though it would be 2 % faster: a signal that arrives while it computes
 * overwrites memory (TensorFlow 2.21 on AMD Zen 3), be it a SIGTERM or those of a profiler.
 */
export function createAcceleration(tf: Tf): Acceleration {
  if (tf.getBackend() !== 'tensorflow') return noAcceleration;
  const engine = tf.engine();
  const existing = installed.get(engine);
  if (existing !== undefined) return existing;

  let depth = 0;
  let recording = false;
  const native = createNative(
    tf,
    () => depth > 0,
    () => recording,
  );
  accelerateGather(native);
  accelerateRelu(native);
  accelerateSigmoid(native);
  accelerateBiasAdd(native);
  mendStridedPointwise(native);
  mendKinks(native);
  const freeWorkspaces = accelerateMaxPool(native);
  const acceleration: Acceleration = {
    enabled: true,
    run(task) {
      depth++;
      try {
        return task();
      } finally {
        depth--;
        if (depth === 0) freeWorkspaces();
      }
    },
    recording(task) {
      recording = true;
      try {
        return unwatched(tf, task);
      } finally {
        recording = false;
      }
    },
    softmaxCrossEntropy: nativeSoftmaxCrossEntropy(native),
  };
  installed.set(engine, acceleration);
  return acceleration;
}

/** Without tfjs' debug mode, which reads the values of every operation: whoever in the process set it. */
function unwatched<T>(tf: Tf, task: () => T): T {
  const target = tf.env().getFlags();
  const off = ['DEBUG', 'CHECK_COMPUTATION_FOR_ERRORS'];
  return overriding(
    off.map((property) => ({ target, property, value: false })),
    task,
  );
}
