import type { Kernels } from '@tutti/kernels';
import type { Transport } from '@tutti/protocol';
import type { beginAgain, CheckpointSink, Resume } from '@tutti/run';
import type { Clock, EventListeners, Stamped, Timeline } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { CoordinatorSettings } from './coordinator-settings.js';
import type { ServerAddress } from './servers/server-address.js';

export interface CoordinatorInit {
  /** Where to listen for workers: `tcp://host:port`, port 0 for a free one. */
  readonly address: string;
  /**
   * Where the servers are; or each of the workers that the job starts with hosts one, and says where when it
   * joins.
   */
  readonly servers: readonly ServerAddress[] | 'colocated';
  readonly settings: CoordinatorSettings;
  /** Keeps checkpoints and the trained model. An error becomes a warning, not the run's end. */
  readonly checkpoints?: CheckpointSink | undefined;
  /** Goes on from a checkpoint, or begins with other weights, unless the servers hold a job already. */
  readonly resume?: Resume | undefined;
  /** Reads the weights once more that a job began with; by default from where it says they lie. */
  readonly beginAgain?: typeof beginAgain | undefined;
  /** Ends the run at once; what was trained since the last checkpoint is lost. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Ends the run between two steps, with a checkpoint of what was trained: it rejects with ABORTED,
   * whose `details.checkpoint` says where to go on.
   */
  readonly interrupt?: AbortSignal | undefined;
  readonly onEvent?: EventListeners<Stamped<RunEvent>> | undefined;
  readonly workerObserver?: WorkerObserver | undefined;
  /** What carries its messages: `createZmqTransport()` of @tutti/transport, or one of your own. */
  readonly transport: Transport;
  readonly clock?: Clock | undefined;
  readonly kernels?: Kernels | undefined;
  /** Is told how long the stations of its steps take. */
  readonly timeline?: Timeline | undefined;
  /** Makes the job's id and the session tokens; must not be guessable. */
  readonly newId?: (() => string) | undefined;
}

/** What somebody must be told who starts the processes of the workers, and ends those that hang. */
export interface WorkerObserver {
  joined(worker: string): void;
  /** The job goes on without a worker that has not said goodbye. */
  lost(worker: string, reason: string): void;
  /** All whom the job starts with are there, and step 1 begins. */
  started(): void;
  /** The job is over, also if it failed: workers are told next, and end with its error. */
  ended(): void;
  /** Whether a process has been started whose worker has not joined yet. */
  starting(): boolean;
}
