// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

/** Where roles of a local run listen: this machine alone can connect. */
export const LOOPBACK = 'tcp://127.0.0.1:0';

/** How long a process that is told to end may take; then it is ended by force. */
export const GRACE_MS = 2000;

/**
 * Time that a worker process has to come back or to end by itself after the coordinator has lost it: all of
 * them lose each other when the whole group was stopped for a while (Ctrl-Z).
 */
export const LAST_CHANCE_MS = 3000;

/** How often one server is started again before its death ends the run. Workers: `--max-restarts`. */
export const MAX_SERVER_RESTARTS = 3;

/** How often a process looks whether its parent is there: so long an orphan lives that loops. */
export const PARENT_LOOK_MS = 1000;

/** So many of the lines that a process printed before it died are told. */
export const LAST_LINES = 12;
