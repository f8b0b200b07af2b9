import { availableParallelism } from 'node:os';
import { tf } from './tf.js';

/** Whatever decides the bits of a gradient; workers that differ in it are told apart by it. */
export function arithmeticFacts(accelerated: boolean): Record<string, string> {
  const backend = tf.getBackend();
  const facts: Record<string, string> = {
    backend,
    tfjs: tf.version.tfjs,
    architecture: process.arch,
    gradients: accelerated ? 'accelerated' : 'tfjs',
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
