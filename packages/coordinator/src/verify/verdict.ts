/** What one worker says the bits of something are. */
export interface Claim {
  readonly worker: string;
  readonly digest: string;
}

/** What follows from the claims about one thing. */
export type Verdict =
  /** Two workers have computed it, and all say the same. */
  | { readonly kind: 'agreed' }
  /** One of these should compute it; nobody, if there is nobody to ask. */
  | { readonly kind: 'ask'; readonly whom: readonly string[] }
  | { readonly kind: 'faulty'; readonly workers: readonly string[] }
  /** Everybody stands by what they said, and as many say one thing as another. */
  | { readonly kind: 'undecidable' };

/**
 * Judges claims about the same bits. What most workers say is right, if two say it; then whoever said
 * anything else is faulty. While that is not so, those are asked who have not been; then, with nobody
 * left, everybody is asked once more: whoever contradicts itself is faulty. A worker that is alone
 * can only be compared with itself.
 * @param here the workers that can be asked
 */
export function judge(claims: readonly Claim[], here: readonly string[]): Verdict {
  const supporters = new Map<string, Set<string>>();
  const said = new Map<string, string[]>();
  for (const { worker, digest } of claims) {
    supporters.set(digest, (supporters.get(digest) ?? new Set()).add(worker));
    said.set(worker, [...(said.get(worker) ?? []), digest]);
  }
  const [first, second] = [...supporters].sort(([, a], [, b]) => b.size - a.size);
  // The usual case, for which nobody has to be looked at.
  if (second === undefined && first !== undefined && first[1].size > 1) return { kind: 'agreed' };
  const unasked = here.filter((worker) => !said.has(worker));

  if (second === undefined) {
    const repeated = claims.length > 1 && unasked.length === 0;
    if (first !== undefined && repeated) return { kind: 'agreed' };
    return { kind: 'ask', whom: unasked.length > 0 ? unasked : here };
  }
  const most = first![1].size;
  if (most > 1 && most > second[1].size) {
    const [right] = first!;
    const faulty = [...said].filter(([, digests]) => digests.some((each) => each !== right));
    return { kind: 'faulty', workers: faulty.map(([worker]) => worker) };
  }
  const wavering = [...said].filter(([, digests]) => new Set(digests).size > 1);
  if (wavering.length > 0) return { kind: 'faulty', workers: wavering.map(([worker]) => worker) };
  if (unasked.length > 0) return { kind: 'ask', whom: unasked };
  const once = here.filter((worker) => said.get(worker)!.length === 1);
  return once.length > 0 ? { kind: 'ask', whom: once } : { kind: 'undecidable' };
}
