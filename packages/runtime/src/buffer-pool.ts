/**
 * Memory that is used again: a step sends the same sizes as the step before. A buffer may only be
 * given back once nobody reads it any more, and that includes a socket's send queue.
 */
export interface BufferPool {
  /** Bytes of unspecified content, aligned for float32. */
  take(byteLength: number): Uint8Array;
  give(buffer: Uint8Array): void;
}

export function createBufferPool(): BufferPool {
  const free = new Map<number, Uint8Array[]>();
  return {
    take: (byteLength) =>
      free.get(byteLength)?.pop() ?? new Uint8Array(new ArrayBuffer(byteLength)),
    give(buffer) {
      const list = free.get(buffer.byteLength);
      if (list === undefined) free.set(buffer.byteLength, [buffer]);
      else list.push(buffer);
    },
  };
}
