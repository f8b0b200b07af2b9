import { availableParallelism } from 'node:os';
import { tf } from '../tf.js';

/**
 * Whatever decides the bits of a gradient; workers that differ in it are told apart by it.
 * @param gradients `graph` where they are graphs, as far as the program's micro-batches have one
 */
export function arithmeticFacts(
  gradients: 'graph' | 'accelerated' | 'tfjs',
): Record<string, string> {
  const backend = tf.getBackend();
  const facts: Record<string, string> = {
    backend,
    tfjs: tf.version.tfjs,
    architecture: process.arch,
    gradients,
  };
  if (backend !== 'tensorflow') return facts;
  const native = tf.backend() as unknown as { binding: { TF_Version: string } };
  return {
    ...facts,
    tensorflow: native.binding.TF_Version,
    // Unset, TensorFlow takes one thread for each core.
    threads: process.env.TF_NUM_INTRAOP_THREADS ?? `all ${availableParallelism()}`,
    oneDnn: process.env.TF_ENABLE_ONEDNN_OPTS ?? 'default',
    oneDnnMaxIsa: process.env.ONEDNN_MAX_CPU_ISA ?? 'default',
  };
}
