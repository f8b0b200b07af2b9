import { LEAST_SHARED_BYTES, MOST_SHARED_BYTES, OUTBOX_BYTES } from '../tunables.js';
import { createAllocator } from './allocator.js';
import { createSharedFile, MARK_BYTES } from './shared-file.js';

/**
 * Payloads of this process for others on its machine: each is written once, however many read it. One
 * for a connection, or for all peers of a listener.
 */
export interface Outbox {
  /** What a peer must know to read them. */
  readonly place: Uint8Array;
  /** Undefined if it goes through the socket: it is small, or there is no room. */
  post(payload: Uint8Array, readers: number): Posted | undefined;
  /** One of the readers has read it, or is gone; what it may still read then is not valid for it. */
  read(posted: Posted): void;
  close(): void;
}

/** Where a payload is. */
export interface Posted {
  readonly start: number;
  readonly length: number;
  readonly mark: number;
}

const PAGE_BYTES = 4096;

/** Undefined where there is no file system in memory. */
export function createOutbox(): Outbox | undefined {
  const file = createSharedFile(OUTBOX_BYTES);
  if (file === undefined) return undefined;
  const allocator = createAllocator(OUTBOX_BYTES);
  const reading = new Map<Posted, number>();
  let mark = 0;
  let closed = false;
  // Whole pages, for the sake of `alignedMemory`.
  const runOf = (length: number) => Math.ceil((MARK_BYTES + length) / PAGE_BYTES) * PAGE_BYTES;

  return {
    place: file.place,
    post(payload, readers) {
      const { length } = payload;
      if (closed || readers === 0) return undefined;
      if (length < LEAST_SHARED_BYTES || length > MOST_SHARED_BYTES) return undefined;
      const start = allocator.allocate(runOf(length));
      if (start === undefined) return undefined;
      try {
        file.write(payload, start, ++mark);
      } catch {
        // No memory left for the file: what it has must do. The run stays taken: nobody is told of it.
        allocator.seal();
        return undefined;
      }
      const posted = { start, length, mark };
      reading.set(posted, readers);
      return posted;
    },
    read(posted) {
      const left = (reading.get(posted) ?? 0) - 1;
      if (left > 0) {
        reading.set(posted, left);
        return;
      }
      if (reading.delete(posted)) allocator.free(posted.start, runOf(posted.length));
    },
    close() {
      closed = true;
      file.close();
    },
  };
}
