import type { Aggregation } from '@tutti/protocol';
import { JOB_SETTINGS, type JobSettings } from '@tutti/run';

/** How a coordinator holds a job together, besides what the program says. */
export interface CoordinatorSettings extends JobSettings {
  /**
   * How many workers to wait for before the first step; if not given 2, or 1 where the plan, such as that
   * of a checkpoint, has one shard.
   */
  readonly workers?: number | undefined;
  /** With fewer than these the run waits for more, for `deadlines.joinMs`; `workers` if not given. */
  readonly minWorkers?: number | undefined;
  /**
   * Standbys of each server. `servers` then lists first those that workers pull from, then their
   * standbys in the same order, round by round. Of servers that workers host, at least so many more hold the same.
   * Default 0.
   */
  readonly replicas?: number | undefined;
  /**
   * Where the contributions of the workers are added: by the coordinator, or by the servers that hold
   * the chunk. The bits are the same. `server` does not go with `verify`. Default `coordinator`.
   */
  readonly aggregation?: Aggregation | undefined;
  /** Refuses a worker whose arithmetic gives other bits than that of most; else it is a warning. */
  readonly strict?: boolean | undefined;
  /** The share of steps in which everything is computed by two workers and compared. Default 0. */
  readonly verify?: number | undefined;
  readonly deadlines?: Partial<Deadlines> | undefined;
}

/** Their names, for whoever passes them on or refuses others. */
export const COORDINATOR_SETTINGS: Readonly<Record<keyof CoordinatorSettings, true>> = {
  ...JOB_SETTINGS,
  workers: true,
  minWorkers: true,
  replicas: true,
  aggregation: true,
  strict: true,
  verify: true,
  deadlines: true,
};

export interface Deadlines {
  /** For all workers to join. */
  readonly joinMs: number;
  /** For a step, an evaluation or the initial values to be complete. */
  readonly stepMs: number;
  /** For the servers to answer. */
  readonly serverMs: number;
  /**
   * For a sign of life from a worker that owes something, or ten times what its work usually takes,
   * if that is more: then others get its shards. Four times as long while no worker has managed such
   * work yet. Default 15,000.
   */
  readonly progressMs: number;
}
