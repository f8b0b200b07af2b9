/**
 * How long the last word to a peer may take. A cut that heals before the peer counts as gone, after
 * 3 s, must not keep it: who misses the end of a job looks for the coordinator for minutes.
 */
export const FAREWELL_MS = 4000;
