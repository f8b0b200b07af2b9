import type { HostFacts } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';

/** A worker, as far as its arithmetic goes. */
export interface Prober {
  readonly worker: string;
  readonly host: HostFacts;
}

/** Whose arithmetic gives the same bits, told from the probe gradients. */
export interface Arithmetic {
  /** Takes a probe; returns what is wrong if its digest is not that of the first worker. */
  probe(prober: Prober, digest: string): TuttiError | undefined;
}

export function createArithmetic(): Arithmetic {
  let first: { readonly prober: Prober; readonly digest: string } | undefined;
  return {
    probe(prober, digest) {
      first ??= { prober, digest };
      if (first.digest === digest) return undefined;
      return differs(first.prober, prober);
    },
  };
}

function differs(first: Prober, other: Prober): TuttiError {
  const differences = differencesOf(first.host, other.host);
  const why =
    differences.length === 0
      ? 'Nothing that is known of the two differs'
      : `They differ in ${differences.join('; ')}`;
  return new TuttiError(
    'ARITHMETIC',
    `The probe (initial values and a gradient) of worker ${other.worker} (${placeOf(other.host)}) has other bits than that of worker ${first.worker} (${placeOf(first.host)}), so the result depends on who computes. ${why}`,
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
