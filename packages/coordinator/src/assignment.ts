/**
 * Gives every shard to exactly one worker: neighbouring shards to each, as even as possible, so that
 * a worker can add up most of what it computes by itself.
 */
export function assignShards(
  shards: number,
  workers: readonly string[],
): ReadonlyMap<string, readonly number[]> {
  return new Map(
    workers.map((worker, at) => {
      const from = Math.floor((at * shards) / workers.length);
      const to = Math.floor(((at + 1) * shards) / workers.length);
      return [worker, Array.from({ length: to - from }, (_, i) => from + i)];
    }),
  );
}
