import type { HostFacts } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import { differencesOf, placeOf } from './host-differences.js';
import type { Member } from './roster.js';

/** A worker, as far as its arithmetic goes. */
export interface Prober {
  readonly worker: string;
  readonly host: HostFacts;
}

/** A worker that has shown its arithmetic, and the digest of its probe gradient. */
export interface Probed extends Prober {
  readonly digest: string;
}

/** The digest that most give; of equally many, the one that came first. */
export function usualDigest(probed: readonly Probed[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { digest } of probed) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0];
}

/**
 * What is wrong with each whose probe has other bits.
 * @param right the digest that is believed
 */
export function oddOnes(
  probed: readonly Probed[],
  right: string | undefined,
): ReadonlyMap<string, TuttiError> {
  const usual = probed.filter(({ digest }) => digest === right);
  const [first] = usual;
  const odd = first === undefined ? [] : probed.filter(({ digest }) => digest !== right);
  return new Map(odd.map((each) => [each.worker, differs(first!, each, usual.length - 1)]));
}

/** @param more how many others have the bits of the first */
function differs(first: Prober, other: Prober, more: number): TuttiError {
  const differences = differencesOf(first.host, other.host);
  const why =
    differences.length === 0
      ? 'Nothing that is known of the two differs'
      : `They differ in ${differences.join('; ')}`;
  const agreeing = more > 0 ? ` and ${more} more` : '';
  return new TuttiError(
    'ARITHMETIC',
    `The probe (initial values and a gradient) of worker ${other.worker} (${placeOf(other.host)}) has other bits than that of worker ${first.worker} (${placeOf(first.host)})${agreeing}, so the result depends on who computes. ${why}`,
    {
      remedy:
        differences.length === 0
          ? 'Look for a file that differs, and for faulty memory or a faulty processor on either machine.'
          : 'Use the same library versions, --threads and kind of processor everywhere (ONEDNN_MAX_CPU_ISA can lower the better one), or train without --strict if that does not matter.',
      details: { worker: other.worker, first: first.worker, hosts: [first.host, other.host] },
    },
  );
}

/** The probes of those who are here. */
export interface Probes {
  add(member: Member, digest: string): void;
  has(member: Member): boolean;
  forget(member: Member): void;
  /**
   * Tells whose bits are right. Most are believed: before the training begins, all that it begins with
   * must have probed; what is believed then is believed to the end.
   * @param begun whether the training is under way
   * @returns undefined while that cannot be told
   */
  compare(here: Iterable<Member>, begun: boolean): ProbeVerdict | undefined;
}

export interface ProbeVerdict {
  readonly right: readonly Member[];
  readonly odd: readonly { readonly member: Member; readonly why: TuttiError }[];
}

/** @param startsWith how many workers the training begins with */
export function createProbes(startsWith: () => number): Probes {
  const digests = new Map<Member, string>();
  let believed: string | undefined;
  return {
    add: (member, digest) => void digests.set(member, digest),
    has: (member) => digests.has(member),
    forget: (member) => void digests.delete(member),
    compare(here, begun) {
      const tooFew = () => !begun && digests.size < startsWith();
      // Those who are gone make it no more: while they come in, nobody is looked at.
      if (tooFew()) return undefined;
      const present = new Set(here);
      for (const member of digests.keys()) if (!present.has(member)) digests.delete(member);
      if (tooFew()) return undefined;
      const all = [...digests].map(([{ worker, host }, digest]) => ({ worker, host, digest }));
      const digest = believed ?? usualDigest(all);
      if (begun) believed = digest;
      const reasons = oddOnes(all, digest);
      const members = [...digests.keys()];
      return {
        right: members.filter(({ worker }) => !reasons.has(worker)),
        odd: members.flatMap((member) => {
          const why = reasons.get(member.worker);
          return why === undefined ? [] : [{ member, why }];
        }),
      };
    },
  };
}
