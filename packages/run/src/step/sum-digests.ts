import { createHash } from 'node:crypto';
import { type Apply, digestOfBytes } from '@tutti/protocol';

/** What a sum is applied with. */
export type AppliedSum = Omit<Apply, 'type'>;

/** Digests what the servers are given to apply, step by step. */
export interface SumDigests {
  applied(apply: AppliedSum, sum: Uint8Array): void;
  /** The same, of a sum that was digested where it was made. */
  digested(apply: AppliedSum, digest: string): void;
  /**
   * The digest of a step: SHA-256 over the digests of the summed gradient, chunk by chunk, the number of examples,
   * the factor of clipping and, where there is one, that of the learning rate. Undefined if not all of it was seen.
   */
  of(step: number): string | undefined;
}

/** @param chunks how many the sum has */
export function createSumDigests(chunks: number): SumDigests {
  /** By step: of some chunks the next may come before the last of this one. */
  const steps = new Map<number, { apply: AppliedSum; readonly digests: Map<number, string> }>();

  function digested(apply: AppliedSum, digest: string) {
    const entry = steps.get(apply.step) ?? { apply, digests: new Map<number, string>() };
    steps.set(apply.step, entry);
    entry.apply = apply;
    entry.digests.set(apply.chunk, digest);
  }

  return {
    digested,
    applied: (apply, sum) => digested(apply, digestOfBytes(sum)),
    of(step) {
      const found = steps.get(step);
      for (const at of steps.keys()) if (at <= step) steps.delete(at);
      if (found === undefined || found.digests.size < chunks) return undefined;
      const { apply, digests } = found;
      const { count, scale, rate } = apply;
      const inOrder = Array.from({ length: chunks }, (_, chunk) => digests.get(chunk));
      return createHash('sha256')
        .update(JSON.stringify([inOrder, count, scale, ...(rate === undefined ? [] : [rate])]))
        .digest('hex');
    },
  };
}
