import type { HostFacts } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';

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

/** "node3, process 17, AMD EPYC 9654" */
export function placeOf({ hostname, pid, cpu, arithmetic }: HostFacts): string {
  const { threads } = arithmetic;
  const parts = [hostname, `process ${pid}`, cpu];
  if (threads !== undefined) parts.push(`${threads} ${threads === '1' ? 'thread' : 'threads'}`);
  return parts.join(', ');
}

/** What decides the bits and is not the same: "threads: 1 and 2". */
export function differencesOf(first: HostFacts, other: HostFacts): string[] {
  const facts = ({ cpu, node, arithmetic }: HostFacts): Record<string, string> => ({
    cpu,
    node,
    ...arithmetic,
  });
  const [ours, theirs] = [facts(first), facts(other)];
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
    .filter((name) => ours[name] !== theirs[name])
    .map((name) => `${name}: ${ours[name] ?? 'none'} and ${theirs[name] ?? 'none'}`);
}
