import type { Clock } from '@tutti/runtime';
import type { TextStream } from '@tutti/telemetry';
import type { StopSignal } from './stop-signals.js';

/** What a command may touch of the process. */
export interface CliContext {
  readonly environment: NodeJS.ProcessEnv;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly clock: Clock;
  /** Aborts when the command is to end at once. */
  readonly signal: AbortSignal;
  /** Rejects with what a program did beside the functions that are called and awaited. */
  readonly fault?: Promise<never>;
  /**
   * The first signal does this instead; it returns false for one that is to end it at once.
   * @param lastWords told in place of a line that says so where a signal ends it by force
   */
  readonly onStop?: (instead: (name: StopSignal) => boolean, lastWords?: () => void) => void;
  /** The signal that asked for the end. */
  readonly stoppedBy?: () => StopSignal | undefined;
  /** Hears that this worker has been admitted to its job. */
  readonly onJoined?: () => void;
  /** What to type for this command to be run again, where it was not typed itself. */
  readonly startedAs?: string;
}
