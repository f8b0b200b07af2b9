/** Of how many chunks something has happened in a step. */
export interface ChunkCounts {
  /** It has happened to one more. @returns whether that was the last */
  add(step: number): boolean;
  /** Steps that are counted. */
  size(): number;
  clear(): void;
}

/** @param chunks in every step; of a step of which some come to nobody's notice, the count is given up later */
export function createChunkCounts(chunks: number): ChunkCounts {
  const counts = new Map<number, number>();
  return {
    add(step) {
      // No chunk is more than one step behind another.
      for (const at of counts.keys()) if (at < step - 1) counts.delete(at);
      const count = (counts.get(step) ?? 0) + 1;
      if (count < chunks) counts.set(step, count);
      else counts.delete(step);
      return count === chunks;
    },
    size: () => counts.size,
    clear: () => counts.clear(),
  };
}
