/**
 * Room in a region of fixed size, given out and taken back in the same order. While nothing is out
 * it starts at the beginning again, so that light use stays within few pages: those in the cache.
 */
export interface Ring {
  /** The start of a free run, or undefined if there is none now. */
  take(length: number): number | undefined;
  /** The oldest `count` runs are free again. */
  release(count: number): void;
}

export function createRing(size: number): Ring {
  const out: { readonly start: number; readonly length: number }[] = [];
  let oldest = 0;
  let head = 0;

  return {
    take(length) {
      if (oldest === out.length) {
        out.length = 0;
        oldest = 0;
        head = 0;
      }
      const tail = out[oldest]?.start;
      let start: number;
      if (tail === undefined || head > tail) {
        if (head + length <= size) start = head;
        else if (tail !== undefined && length < tail) start = 0;
        else return undefined;
      } else if (head + length < tail) start = head;
      else return undefined;
      head = start + length;
      out.push({ start, length });
      return start;
    },
    release(count) {
      oldest = Math.min(out.length, oldest + count);
      if (oldest < 1024) return;
      out.splice(0, oldest);
      oldest = 0;
    },
  };
}
