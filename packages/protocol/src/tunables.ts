/** A worker reports what is done at least this often, between two micro-batches: who is late shows. */
export const REPORT_MS = 20;

/** Whoever computes or waits for longer says in between that it goes on. */
export const SIGN_OF_LIFE_MS = 1000;

/** Pause before a peer that is gone is looked for again. */
export const RECONNECT_PAUSE_MS = 200;
