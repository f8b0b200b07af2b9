// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

// ---- where the settings say nothing
/** `--connect-deadline-ms` */
export const CONNECT_DEADLINE_MS = 120_000;
/** `--coordinator-deadline-ms` */
export const COORDINATOR_DEADLINE_MS = 600_000;
/** `--return-deadline-ms` */
export const RETURN_DEADLINE_MS = 120_000;

/** How long a worker that leaves waits for the coordinator's answer: others compute what it owes. */
export const HAND_OVER_MS = 5000;
