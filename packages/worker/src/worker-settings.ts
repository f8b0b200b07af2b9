/** How long a worker has patience, in milliseconds. */
export interface WorkerSettings {
  /** With a coordinator that was never there. Default 120,000. */
  readonly connectDeadlineMs?: number | undefined;
  /** With a coordinator that is silent, before the worker gives up. Default 600,000. */
  readonly coordinatorDeadlineMs?: number | undefined;
  /** With a coordinator that is gone. Default 120,000. */
  readonly returnDeadlineMs?: number | undefined;
}

/** Their names, for whoever passes them on or refuses others. */
export const WORKER_SETTINGS: Readonly<Record<keyof WorkerSettings, true>> = {
  connectDeadlineMs: true,
  coordinatorDeadlineMs: true,
  returnDeadlineMs: true,
};
