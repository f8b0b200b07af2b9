import type { HostFacts } from '@tutti/protocol';

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
