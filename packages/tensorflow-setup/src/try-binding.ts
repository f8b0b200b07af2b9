import { fileURLToPath } from 'node:url';
import { runProcess } from './run-process.js';
import { createSetupMonitor } from './setup-monitor.js';
import type { WayContext } from './way.js';

export interface TriedBinding {
  /** The version of the native TensorFlow library, such as `2.21.0`. */
  readonly tensorflow: string;
}

const LIMIT_MS = 120_000;

/**
 * Loads the binding in a child process and differentiates a tiny function with it.
 *
 * @throws Error with the reason, also if loading kills the process (SIGILL on an old CPU).
 */
export async function tryBinding(context: WayContext): Promise<TriedBinding> {
  const child = fileURLToPath(new URL('./try-binding-child.js', import.meta.url));
  const loading = runProcess(process.execPath, [child], {
    limitMs: LIMIT_MS,
    signal: context.signal,
    // Loaders of the parent, such as tsx, would only slow it down.
    environment: { ...process.env, NODE_OPTIONS: '' },
  });
  const monitor = createSetupMonitor(context);
  const output = await monitor.race(loading, {
    who: 'a process that tries native TensorFlow',
    what: 'load it and compute a gradient',
    remedy: `Its library has hundreds of megabytes: a slow disk takes its time. After ${LIMIT_MS / 1000} s it counts as one that does not load.`,
  });
  return JSON.parse(output) as TriedBinding;
}
