/**
 * Gives out runs of a region of fixed size. What comes back is given out again first, so that light
 * use stays within few pages: those in the cache.
 */
export interface Allocator {
  /** The start of a free run, or undefined if there is none now. */
  allocate(length: number): number | undefined;
  /** A run that was taken is free again. */
  free(start: number, length: number): void;
  /** There is no more of the region than was given out: runs that are free again must do. */
  seal(): void;
}

/** Runs are of few lengths, those of chunks: one that is free serves only for its own length. */
export function createAllocator(size: number): Allocator {
  const freeRuns = new Map<number, number[]>();
  let out = 0;
  let end = 0;
  let limit = size;

  return {
    allocate(length) {
      let start = freeRuns.get(length)?.pop();
      if (start === undefined) {
        if (end + length > limit) return undefined;
        start = end;
        end += length;
      }
      out++;
      return start;
    },
    free(start, length) {
      out--;
      if (out === 0) {
        freeRuns.clear();
        end = 0;
        return;
      }
      const others = freeRuns.get(length);
      if (others === undefined) freeRuns.set(length, [start]);
      else others.push(start);
    },
    seal() {
      limit = end;
    },
  };
}
