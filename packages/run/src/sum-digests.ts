import { createHash } from 'node:crypto';
import { type Apply, digestOfBytes } from '@tutti/protocol';

/** Digests what the servers are given to apply, step by step. */
export interface SumDigests {
  applied(apply: Apply, sum: Uint8Array): void;
  /**
   * Of a step: SHA-256 over the digests of the summed gradient, chunk by chunk, the number of examples
   * and the factor of clipping. Undefined if not all of it was seen.
   */
  of(step: number): string | undefined;
}

/** @param chunks how many the sum has */
export function createSumDigests(chunks: () => number): SumDigests {
  let under: { readonly apply: Apply; readonly digests: Map<number, string> } | undefined;
  return {
    applied(apply, sum) {
      if (under?.apply.step !== apply.step) under = { apply, digests: new Map() };
      under.digests.set(apply.chunk, digestOfBytes(sum));
    },
    of(step) {
      if (under?.apply.step !== step || under.digests.size < chunks()) return undefined;
      const { count, scale } = under.apply;
      const inOrder = Array.from({ length: chunks() }, (_, chunk) => under!.digests.get(chunk)!);
      return createHash('sha256')
        .update(JSON.stringify([inOrder, count, scale]))
        .digest('hex');
    },
  };
}
