import { readFileSync } from 'node:fs';
import type { Settings } from '@tutti/config';
import { hostsOf } from '@tutti/launch/internal';
import { TuttiError } from '@tutti/runtime';

/** A host, and the ranks that are started there. */
export interface HostRanks {
  readonly host: string;
  readonly ranks: readonly number[];
}

/**
 * Gives out the ranks over the hosts of --hosts and --hostfile, in their order: `n1:2,n2` has 0 and 1 on n1.
 * @throws TuttiError BAD_CONFIG without a host, or for what is none
 */
export function hostRanks({ hosts, hostfile }: Pick<Settings, 'hosts' | 'hostfile'>): HostRanks[] {
  const slots = [
    ...(hosts === undefined ? [] : slotsOf(hosts)),
    ...(hostfile === undefined ? [] : linesOf(hostfile).flatMap(slotsOf)),
  ];
  if (slots.length === 0)
    throw bad('There are no hosts to start anything on.', 'Give --hosts n1,n2 or a --hostfile.');
  const counts = new Map<string, number>();
  for (const { host, count } of slots) counts.set(host, (counts.get(host) ?? 0) + count);
  let next = 0;
  return [...counts].map(([host, count]) => ({
    host,
    ranks: Array.from({ length: count }, () => next++),
  }));
}

/** `n1`, `n[1-4]:2`, `n2 slots=4`; a comma outside of brackets separates. */
function slotsOf(list: string) {
  return list.split(/,(?![^[]*\])/).flatMap((item) => {
    const [, names = '', colon, slots] =
      /^(.*?)(?::(\d+)|\s+slots\s*=\s*(\d+))?$/.exec(item.trim()) ?? [];
    // Colons of IPv6 separate no number.
    const isAddress = names.includes(':');
    const count = Number((isAddress ? slots : (colon ?? slots)) ?? 1);
    if (count < 1)
      throw bad(`The host ${item} is to have no rank.`, 'Give it one, or leave it out.');
    return hostsOf(isAddress ? item.replace(/\s.*/, '').trim() : names).map((host) => {
      // It becomes an argument of ssh.
      if (!/^[\w.@:%][\w.@:%-]*$/.test(host))
        throw bad(`${host} is no host.`, 'Write names or addresses, such as n1,user@n2:4.');
      return { host, count };
    });
  });
}

function linesOf(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw bad(
      `The hostfile ${path} cannot be read: ${(error as Error).message}`,
      'Correct --hostfile.',
    );
  }
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_CONFIG', message, { remedy });
}
