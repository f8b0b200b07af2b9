import type { Clock } from '@tutti/runtime';
import type { TextStream } from '@tutti/telemetry';

/** What a command may touch of the process. */
export interface CliContext {
  readonly environment: NodeJS.ProcessEnv;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly clock: Clock;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** SIGTERM does this instead of what Ctrl-C does; a second one does not. */
  readonly onTerminate?: (terminate: () => void) => void;
}
