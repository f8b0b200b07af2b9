import { TuttiError } from '@tutti/runtime';

/** More than any cluster has; a slip of the keyboard asks for millions. */
const MOST_HOSTS = 65_536;

/**
 * The hosts of a list as Slurm writes it (slurm.conf(5), "hostlist expression"): `n1,n2`, `n[1-3,7]`,
 * `a[003,007]` with as many digits as the first number has, `rack[0-1]n[0-3]-ib`.
 * @throws TuttiError BAD_CONFIG for what is no such list
 */
export function hostsOf(list: string): string[] {
  const hosts: string[] = [];
  for (const item of itemsOf(list))
    for (const host of expand(item, list)) {
      if (hosts.length === MOST_HOSTS) throw bad(list, `has more than ${MOST_HOSTS} hosts`);
      hosts.push(host);
    }
  return hosts;
}

/** What stands between the commas outside of brackets. */
function itemsOf(list: string): string[] {
  const items = list.split(/,(?![^[]*\])/).map((item) => item.trim());
  if (items.includes('')) throw bad(list, 'has a host without a name');
  return items;
}

function* expand(item: string, list: string): Generator<string> {
  const match = /^([^[\]]*)(?:\[([^[\]]*)\](.*))?$/.exec(item);
  if (match === null) throw bad(list, `has a bracket that is not closed, at ${item}`);
  const [, before = '', ranges, rest = ''] = match;
  if (ranges === undefined) return yield before;
  for (const number of ranges.split(',').flatMap((range) => [...numbersOf(range, list)]))
    for (const after of expand(rest, list)) yield `${before}${number}${after}`;
}

function* numbersOf(range: string, list: string): Generator<string> {
  const match = /^(\d+)(?:-(\d+))?$/.exec(range);
  if (match === null) throw bad(list, `has [${range}], which is no number and no range`);
  const [, first = '', last = first] = match;
  if (Number(last) - Number(first) >= MOST_HOSTS)
    throw bad(list, `has more than ${MOST_HOSTS} hosts`);
  for (let at = Number(first); at <= Number(last); at++)
    yield String(at).padStart(first.length, '0');
}

function bad(list: string, what: string): TuttiError {
  return new TuttiError('BAD_CONFIG', `The list of hosts ${list} ${what}.`, {
    remedy: 'Write host names separated by commas, or ranges of them: n1,n2 or n[1-4].',
    details: { hosts: list },
  });
}
