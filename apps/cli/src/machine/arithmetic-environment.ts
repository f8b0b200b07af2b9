import type { ResolvedSettings } from '@tutti/config';
import { workerEnvironment } from '@tutti/launch/internal';

/**
 * Sets what decides the bits of a gradient (thread counts) where TensorFlow will read it: in this
 * process, and from there in its children. So `--workers 0` computes like a worker process.
 */
export function setArithmeticEnvironment(
  environment: NodeJS.ProcessEnv,
  { settings, sources }: ResolvedSettings,
): void {
  if (sources.threads !== undefined && sources.threads !== 'default') {
    environment.TF_NUM_INTRAOP_THREADS = String(settings.threads);
  }
  Object.assign(environment, workerEnvironment(environment));
}
