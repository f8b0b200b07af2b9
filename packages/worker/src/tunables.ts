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

/**
 * How long a server that was never reached may have a name or an address that leads nowhere from here:
 * time for a name service to learn of it, and less than others wait for this worker.
 */
export const NO_WAY_MS = 10_000;
/** The last word to a peer: one that is gone must not keep this process. */
export const FAREWELL_MS = 1000;

/**
 * Weights that servers send a worker before it asks for more: with small models it would say more
 * than it is sent, and each message wakes four threads. A worker that hangs is sent no more than this.
 */
export const UNASKED_BYTES = 16 * 1024 * 1024;
/** Versions of those, of the smallest models: asking costs nothing to speak of any more. */
export const MOST_UNASKED = 32;

/** Chunks that a line of who is waited for names; more would not fit into a terminal. */
export const MOST_NAMED_CHUNKS = 8;

/** Examples that data are compared by: a shuffle shows in any two, and reading them takes no time to speak of. */
export const COMPARED_EXAMPLES = 32;
/** Digests of one data set at most, so that many fields do not make a message too long. */
export const MOST_DIGESTS = 4096;
