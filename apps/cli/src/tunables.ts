// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

// ---- beginning

/** So many workers are started before the program has said into how many shards it cuts its data. */
export const LIKELY_WORKERS = 2;

// ---- ending

/** Ends everything within 5 s: this long for an orderly end, then by force. */
export const ORDERLY_END_MS = 4000;
/** npm hands on what the terminal has sent already: what comes so soon after the first is the same. */
export const SAME_SIGNAL_MS = 500;
/**
 * Where all processes of a job are told to end at once, its coordinator saves what is here first: so
 * long a server that holds a job has patience.
 */
export const LAST_CAPTURE_MS = 10_000;
/** What takes longer to keep what it heard of a run is left behind. */
export const KEEPING_DEADLINE_MS = 8000;
/** So long a command has to tell of a fault of the program; one that has ended cannot. */
export const UNTOLD_MS = 4000;

// ---- the ranks of a cluster

/** So long workers of rank 0, and ranks of other hosts, have to end by themselves when their job is over. */
export const NODE_GRACE_MS = 5000;
/** So long ranks have to end with a checkpoint when `tutti launch` is gone: all is over within 10 s. */
export const ABANDONED_MS = 6000;
/** So long those have that are left after it, or after rank 0, before they are told to end. */
export const LEFT_OVER_MS = 1000;
/** What is not over at a host so long after it was told is cut off. */
export const HOST_END_MS = 10_000;

// ---- asking

/** Between two answers, of `tutti status --watch` and for the page of a run. */
export const WATCH_MS = 1000;
/** Of the time for an answer: that nobody listens says more than that nobody answers. */
export const CONNECT_SHARE = 0.4;
/** The coordinator of this process answers at once, if it is not held up. */
export const ANSWER_DEADLINE_MS = 5000;

// ---- open files

/** Loading its own modules takes Node.js about as many at once as a process has later: 32, and what it writes. */
export const OWN_FILES = 128;
/** Two connections, to the coordinator and to the server beside it, and a file in memory for each. */
export const FILES_OF_WORKER = 4;
/** Of a worker that is a child: what it says, too. */
export const FILES_OF_CHILD = 8;

// ---- numbers of workers where `--workers` is not given

/** What a worker with TensorFlow and a model of usual size needs. */
export const WORKER_BYTES = 2 ** 30;
