import { fileURLToPath } from 'node:url';
import { runProcess } from './run-process.js';
import { watch } from './watch.js';
import type { WayContext } from './way.js';

export interface Probed {
  /** The version of the native TensorFlow library, such as `2.21.0`. */
  readonly tensorflow: string;
}

const LIMIT_MS = 120_000;

/**
 * Loads the binding in a child process and differentiates a tiny function with it.
 *
 * @throws Error with the reason, also if loading kills the process (SIGILL on an old CPU).
 */
export async function probeBinding(context: WayContext): Promise<Probed> {
  const child = fileURLToPath(new URL('./probe-child.js', import.meta.url));
  const probing = runProcess(process.execPath, [child], {
    limitMs: LIMIT_MS,
    signal: context.signal,
    // Loaders of the parent, such as tsx, would only slow it down.
    environment: { ...process.env, NODE_OPTIONS: '' },
  });
  const monitor = watch(context);
  const output = await monitor.race(probing, {
    who: 'a process that tries native TensorFlow',
    what: 'load it and compute a gradient',
    remedy: `Its library has hundreds of megabytes: a slow disk takes its time. After ${LIMIT_MS / 1000} s it counts as one that does not load.`,
  });
  return JSON.parse(output) as Probed;
}
