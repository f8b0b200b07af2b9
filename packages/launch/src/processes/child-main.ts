import { errorToRecord } from '@tutti/runtime';
import type { ChildReport } from './child.js';
import { endWithParent } from './end-with-parent.js';

/**
 * The frame of every process that the launcher starts: it ends with its parent, leaves Ctrl-C to it,
 * stops on SIGTERM, and tells it how it failed.
 */
export async function childMain<Argument>(
  body: (
    argument: Argument,
    signal: AbortSignal,
    tell: (report: ChildReport) => void,
    /** What SIGTERM does instead of stopping at once. */
    onTerminate: (terminate: () => void) => void,
  ) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController();
  let told: Promise<void> = Promise.resolve();
  const tell = (report: ChildReport) => {
    // Unnamed wait: it ends by itself.
    if (process.connected) told = new Promise((resolve) => process.send!(report, () => resolve()));
  };
  endWithParent();
  // The terminal sends SIGINT to the whole group; the parent decides what it means.
  process.on('SIGINT', () => {});
  let terminate = () => stopping.abort();
  process.on('SIGTERM', () => terminate());
  try {
    // Unnamed wait: what it awaits names its own waits.
    await body(JSON.parse(process.argv[2]!), stopping.signal, tell, (instead) => {
      terminate = instead;
    });
    process.exitCode = 0;
  } catch (error) {
    if (!stopping.signal.aborted) {
      tell({ type: 'failed', error: errorToRecord(error) });
      process.exitCode = 1;
    }
  }
  // Unnamed wait: it ends by itself.
  await told;
  // Nothing is left to do; a handle that somebody's program left open must not hold the process.
  process.disconnect?.();
  process.exit();
}
