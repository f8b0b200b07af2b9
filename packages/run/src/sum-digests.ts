import { createHash } from 'node:crypto';
import { type Apply, digestOfBytes } from '@tutti/protocol';

/** Digests what the servers are given to apply, step by step. */
export interface SumDigests {
  applied(apply: Apply, sum: Uint8Array): void;
  /**
   * The digest of a step: SHA-256 over the digests of the summed gradient, chunk by chunk, the number of examples,
   * the factor of clipping and, where there is one, that of the learning rate. Undefined if not all of it was seen.
   */
  of(step: number): string | undefined;
}

/** @param chunks how many the sum has */
export function createSumDigests(chunks: number): SumDigests {
  let current: { readonly apply: Apply; readonly digests: Map<number, string> } | undefined;
  return {
    applied(apply, sum) {
      if (current?.apply.step !== apply.step) current = { apply, digests: new Map() };
      current.digests.set(apply.chunk, digestOfBytes(sum));
    },
    of(step) {
      if (current?.apply.step !== step || current.digests.size < chunks) return undefined;
      const { apply, digests } = current;
      const { count, scale, rate } = apply;
      const inOrder = Array.from({ length: chunks }, (_, chunk) => digests.get(chunk));
      return createHash('sha256')
        .update(JSON.stringify([inOrder, count, scale, ...(rate === undefined ? [] : [rate])]))
        .digest('hex');
    },
  };
}
