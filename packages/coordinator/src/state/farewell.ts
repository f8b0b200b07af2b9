/**
 * How long the last word to a peer may take. A cut that heals before the peer counts as gone, after
 * 3 s, must not keep it: who misses the end of a job looks for the coordinator for minutes.
 */
export const FAREWELL_MS = 4000;

/** The wait at the end of a job: the peers have their time, so it is the disk that takes longer. */
export const closingJob = {
  who: 'the disk',
  what: 'take what was still to be written of checkpoints',
  remedy: 'See whether it is full, or slow.',
};
