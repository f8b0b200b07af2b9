import type { Block, Kernels } from '@tutti/kernels';

/**
 * Blocks that payloads are read into, so that they can be added where they lie. One of each length is
 * kept ready; what becomes of a payload may turn out only once it is there.
 */
export interface Landing {
  /** Memory for so many floats: the same as long as nothing of that length was taken. */
  place(length: number): Uint8Array;
  /** The block with these bytes, which is the caller's from now on; undefined if they lie elsewhere. */
  take(bytes: Uint8Array): Block | undefined;
  release(): void;
}

export function createLanding(kernels: Kernels): Landing {
  const ready = new Map<number, Block>();
  return {
    place(length) {
      let block = ready.get(length);
      if (block === undefined) {
        block = kernels.allocate(length);
        ready.set(length, block);
      }
      return block.bytes;
    },
    take(bytes) {
      const block = ready.get(bytes.byteLength / 4);
      if (block?.bytes !== bytes) return undefined;
      ready.delete(block.length);
      return block;
    },
    release() {
      for (const block of ready.values()) kernels.free(block);
      ready.clear();
    },
  };
}
