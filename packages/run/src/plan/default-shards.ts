/** With fewer examples in a micro-batch, starting each of its operations costs more than a few percent. */
const EXAMPLES = 32;

/** More leaves make a step of a large model longer: each is a gradient to add. */
const MOST = 16;

/**
 * The number of data shards of a program that names none. It follows from the batch size alone, so
 * that a program has one digest on every machine: the largest power of two that leaves micro-batches
 * of 32 examples, from 2 (so that two workers have something to share) to 16.
 */
export function defaultShards(batchSize: number): number {
  const fitting = 2 ** Math.floor(Math.log2(Math.max(1, batchSize / EXAMPLES)));
  return Math.max(Math.min(2, batchSize), Math.min(MOST, fitting));
}
