// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

/** Where the settings say nothing: `--return-deadline-ms`. */
export const RETURN_DEADLINE_MS = 120_000;

/** The last word to a peer: one that is gone must not keep this process. */
export const FAREWELL_MS = 1000;
