import type { Random } from '@tutti/runtime';

/**
 * Runs `task`, which must be synchronous, with `Math.random` drawing from `random`.
 *
 * Everything in TensorFlow.js that is random and was given no seed (initializers, Dropout,
 * GaussianNoise, `tf.randomNormal`, ...) draws its seed from `Math.random`, so inside `task` it
 * follows from `random` alone.
 */
export function withRandom<T>(random: Random, task: () => T): T {
  const original = Math.random;
  Math.random = () => random.next();
  try {
    return task();
  } finally {
    Math.random = original;
  }
}
