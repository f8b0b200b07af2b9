/** One direction of a network card, which all connections of a process share. */
export interface Bandwidth {
  /** When the last byte of what begins now, or once the line is free, has left. */
  leaves(bytes: number, now: number): number;
  /**
   * When the last byte of what would be here at `now` if nothing else came has come: what comes along with
   * other messages shares the line with them, and what comes alone has been coming since it left.
   */
  arrives(bytes: number, now: number): number;
}

/** @param bitsPerSecond undefined for a line on which nothing queues */
export function createBandwidth(bitsPerSecond: number | undefined): Bandwidth {
  const msPerByte = bitsPerSecond === undefined ? 0 : 8000 / bitsPerSecond;
  let freeAt = Number.NEGATIVE_INFINITY;
  return {
    leaves(bytes, now) {
      freeAt = Math.max(freeAt, now) + bytes * msPerByte;
      return freeAt;
    },
    arrives(bytes, now) {
      freeAt = Math.max(freeAt + bytes * msPerByte, now);
      return freeAt;
    },
  };
}
