import { createBufferPool } from '@tutti/runtime';

/** Copies of weights for sockets, which read them when the next version may be written already. */
export interface WeightCopies {
  make(version: number, weights: Uint8Array): Uint8Array;
  /** No socket reads what it was given of this version or earlier ones: it may be written over. */
  recycle(version: number): void;
  /** Of this version and earlier ones it is left to the sockets that may still read it. */
  leave(version: number): void;
}

export function createWeightCopies(): WeightCopies {
  const pool = createBufferPool();
  let inUse: { readonly version: number; readonly copy: Uint8Array }[] = [];
  function leave(version: number) {
    inUse = inUse.filter((each) => each.version > version);
  }

  return {
    make(version, weights) {
      const copy = pool.take(weights.byteLength);
      copy.set(weights);
      inUse.push({ version, copy });
      return copy;
    },
    recycle(version) {
      for (const each of inUse) if (each.version <= version) pool.give(each.copy);
      leave(version);
    },
    leave,
  };
}
