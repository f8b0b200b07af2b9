import type { Deadlines } from '@tutti/coordinator';
import type { JobSettings } from '@tutti/run';
import type { EventListeners, Stamped } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Heartbeat } from '@tutti/transport';
import type { KeepOptions } from './checkpoints-of.js';

/** How `runLocal` trains, besides what the program says. */
export interface LocalOptions extends JobSettings, KeepOptions {
  /** Worker processes; 0 is the plain loop in this process. Default 1. */
  readonly workers?: number;
  /** One server lives in this process; more get a process each. Default 1. */
  readonly servers?: number;
  /** Standbys of each server, told the same: one takes over when its server dies. Default 0. */
  readonly replicas?: number;
  /** Where workers connect; a free port of the loopback interface by default. */
  readonly address?: string;
  /** With fewer the run waits for more; if it is not given, it ends when one is lost for good. */
  readonly minWorkers?: number;
  /** Replacements for worker processes that die or hang, in the whole run. Default 0. */
  readonly maxRestarts?: number;
  /** Signs of life between the processes. */
  readonly heartbeat?: Heartbeat;
  /** Refuses a worker whose arithmetic gives other bits than that of most. */
  readonly strict?: boolean;
  /** The share of steps in which everything is computed by two workers and compared. Default 0. */
  readonly verify?: number;
  readonly deadlines?: Partial<Deadlines>;
  /** Ends the run at once; what was trained since the last checkpoint is lost. */
  readonly signal?: AbortSignal;
  /**
   * Ends the run between two steps, with a checkpoint of what was trained: it rejects with ABORTED,
   * whose `details.checkpoint` says where to go on.
   */
  readonly interrupt?: AbortSignal | undefined;
  /** Each event at once, for one or several who listen. */
  readonly onEvent?: EventListeners<Stamped<RunEvent>>;
  /** What the processes of the run print, line by line. */
  readonly onLine?: (process: string, line: string) => void;
}
