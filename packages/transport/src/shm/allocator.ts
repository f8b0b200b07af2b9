/**
 * Room in a region of fixed size. What comes back is given out again first, so that light use stays
 * within few pages: those in the cache.
 */
export interface Room {
  /** The start of a free run, or undefined if there is none now. */
  take(length: number): number | undefined;
  /** A run that was taken is free again. */
  give(start: number, length: number): void;
}

/** Runs are of few lengths, those of chunks: one that is free serves only for its own length. */
export function createRoom(size: number): Room {
  const free = new Map<number, number[]>();
  let out = 0;
  let end = 0;

  return {
    take(length) {
      let start = free.get(length)?.pop();
      if (start === undefined) {
        if (end + length > size) return undefined;
        start = end;
        end += length;
      }
      out++;
      return start;
    },
    give(start, length) {
      out--;
      if (out === 0) {
        free.clear();
        end = 0;
        return;
      }
      const others = free.get(length);
      if (others === undefined) free.set(length, [start]);
      else others.push(start);
    },
  };
}
