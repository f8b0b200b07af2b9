// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

// ---- memory: a run may be as long as it likes

/** More points than these no screen shows: then each stands for twice as many steps. */
export const MOST_POINTS = 3000;
/** What else happened is in the events of the run: what is quiet is let go first, of the rest what is longest ago. */
export const MOST_MARKS = 400;
export const MOST_EPOCHS = 1000;
/** A job may see very many workers come and go; the last are kept, and of each the last times. */
export const MOST_WORKERS = 512;
export const MOST_SPANS = 64;

// ---- telling pages

/** Pages are told at most so often: calm to look at, and cheap. */
export const UPDATE_PAUSE_MS = 500;
/** Without news a line is sent, so that both sides see whether the other is there. */
export const ALIVE_MS = 10_000;
/** A page that does not read as fast is let go; it comes back by itself and gets all at once. */
export const MOST_UNREAD_BYTES = 8 * 1024 * 1024;
export const MOST_FOLLOWERS = 64;
/** Prometheus asks every 15 to 60 s: who has asked so lately is looking. */
export const SCRAPED_MS = 120_000;
/** Connections that are still open so long after the end are cut. */
export const CLOSING_MS = 1000;
