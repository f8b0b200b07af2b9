/** The wait at the end of a job: the peers have their time, so it is the disk that takes longer. */
export const closingJob = {
  who: 'the disk',
  what: 'take what was still to be written of checkpoints',
  remedy: 'See whether it is full, or slow.',
};
