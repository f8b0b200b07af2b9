import { fileURLToPath } from 'node:url';
import { runProcess } from './run-process.js';
import type { WayContext } from './way.js';

export interface Probed {
  /** The version of the native TensorFlow library, such as `2.21.0`. */
  readonly tensorflow: string;
}

/**
 * Loads the binding in a child process and differentiates a tiny function with it.
 *
 * @throws Error with the reason, also if loading kills the process (SIGILL on an old CPU).
 */
export async function probeBinding(context: WayContext): Promise<Probed> {
  const child = fileURLToPath(new URL('./probe-child.js', import.meta.url));
  const output = await runProcess(process.execPath, [child], {
    limitMs: 120_000,
    signal: context.signal,
    // Loaders of the parent, such as tsx, would only slow it down.
    environment: { ...process.env, NODE_OPTIONS: '' },
  });
  return JSON.parse(output) as Probed;
}
