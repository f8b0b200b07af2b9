import assert from 'node:assert/strict';
import type { TuttiError } from '@tutti/runtime';
import { hostsOf } from './host-list.js';

describe('a list of hosts', () => {
  for (const [list, hosts] of [
    ['n1', ['n1']],
    ['n[1-2]', ['n1', 'n2']],
    ['n[1-2],m3', ['n1', 'n2', 'm3']],
    ['a[003,007]', ['a003', 'a007']],
    ['a[08-11]', ['a08', 'a09', 'a10', 'a11']],
    ['a[9-11]', ['a9', 'a10', 'a11']],
    ['r[0-1]n[2-3]-ib', ['r0n2-ib', 'r0n3-ib', 'r1n2-ib', 'r1n3-ib']],
    ['login,n[1,3-4,7].cluster', ['login', 'n1.cluster', 'n3.cluster', 'n4.cluster', 'n7.cluster']],
    ['10.0.0.[5-6], fd00::1', ['10.0.0.5', '10.0.0.6', 'fd00::1']],
  ] as const)
    it(`${list} is ${hosts.join(' ')}`, () => assert.deepEqual(hostsOf(list), hosts));

  for (const [list, why] of [
    ['', /without a name/],
    ['n1,,n2', /without a name/],
    ['n[1-2', /not closed/],
    ['n1-2]', /not closed/],
    ['n[]', /no number/],
    ['n[a-b]', /no number/],
    ['n[1-9000000]', /more than 65536/],
    ['n[0-999]m[0-999]', /more than 65536/],
  ] as const)
    it(`"${list}" is refused`, () =>
      assert.throws(
        () => hostsOf(list),
        ({ code, message }: TuttiError) => code === 'BAD_CONFIG' && why.test(message),
      ));
});
