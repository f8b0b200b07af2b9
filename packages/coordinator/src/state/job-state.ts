import type { Layout } from '@tutti/parameters';
import type { Body, JobPhase, JobPlan, Message } from '@tutti/protocol';
import type { Clock, Monitor } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Deadlines } from '../coordinator-init.js';
import type { Servers } from '../servers/servers.js';
import type { SumsInFlight } from '../servers/sums-in-flight.js';
import type { Ledger } from './ledger.js';

/** What the parts of a coordinator know of the job that they run together. */
export interface JobState {
  phase: JobPhase;
  /** The id: made here, or found at the servers that hold the job already. */
  job: string;
  /** Settled by the first worker, or found at the servers. */
  plan: JobPlan | undefined;
  layout: Layout | undefined;
  /** While there is something to train. */
  ledger: Ledger | undefined;
  /** A server came back without its weights: all go back to a version that everybody can have. */
  rollback: boolean;
}

/** What each part works with. */
export interface JobParts {
  readonly state: JobState;
  readonly servers: Servers;
  readonly sums: SumsInFlight;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly emit: (event: RunEvent) => void;
  /** Makes a message of this job. */
  readonly stamp: (body: Body) => Message;
}
