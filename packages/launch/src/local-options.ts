import type { EventListeners, Stamped } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { LocalSettings } from './local-settings.js';
import type { PreparedChildren } from './processes/forked.js';

/** How `runLocal` trains, and how it is ended and observed from this process. */
export interface LocalOptions extends LocalSettings {
  /** Ends the run at once; what was trained since the last checkpoint is lost. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Ends the run between two steps, with a checkpoint of what was trained: it rejects with ABORTED,
   * whose `details.checkpoint` says where to go on.
   */
  readonly interrupt?: AbortSignal | undefined;
  /** Each event at once, for one or several who listen. */
  readonly onEvent?: EventListeners<Stamped<RunEvent>> | undefined;
  /** Processes that were started ahead, which the run takes before it starts others. */
  readonly prepared?: PreparedChildren | undefined;
  /** What the processes of the run print, line by line. */
  readonly onLine?: ((process: string, line: string) => void) | undefined;
}
