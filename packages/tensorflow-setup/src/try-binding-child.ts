/** Runs in a process of its own: an addon that does not fit the machine ends its process. */
import { loadTensorflow } from './load.js';

try {
  const tf = loadTensorflow();
  const gradient = tf
    .grad((x) => x.square().sum())(tf.tensor1d([1, 3]))
    .dataSync();
  if (gradient[0] !== 2 || gradient[1] !== 6) throw new Error(`wrong gradient ${gradient}`);
  const backend = tf.backend() as unknown as { binding: { TF_Version: string } };
  process.stdout.write(JSON.stringify({ tensorflow: backend.binding.TF_Version }));
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
