import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TuttiError } from '@tutti/runtime';
import { inTemporaryFolder } from '../testing.js';
import { hostRanks } from './host-ranks.js';

const said = (hosts: string) =>
  hostRanks({ hosts }).map(({ host, ranks }) => `${host} ${ranks.join(' ')}`);

describe('the ranks of hosts', () => {
  for (const [hosts, ranks] of [
    ['n1', ['n1 0']],
    ['n1,n2:2,n3', ['n1 0', 'n2 1 2', 'n3 3']],
    ['n[1-2]:2', ['n1 0 1', 'n2 2 3']],
    ['me@n1,n1', ['me@n1 0', 'n1 1']],
    ['n1,n2,n1', ['n1 0 1', 'n2 2']],
    ['fd00::1,fe80::1%eth0', ['fd00::1 0', 'fe80::1%eth0 1']],
  ] as const)
    it(`are given out over ${hosts}`, () => assert.deepEqual(said(hosts), ranks));

  it('are given out over a hostfile too', () =>
    inTemporaryFolder(async (folder) => {
      const hostfile = join(folder, 'hosts');
      await writeFile(hostfile, '# ours\nn1 slots=2\n\nfd00::1 slots = 2 # far\nn3:1\n');
      assert.deepEqual(hostRanks({ hostfile }), [
        { host: 'n1', ranks: [0, 1] },
        { host: 'fd00::1', ranks: [2, 3] },
        { host: 'n3', ranks: [4] },
      ]);
    }));

  for (const [hosts, why] of [
    [undefined, /no hosts/],
    ['n1:0', /no rank/],
    ['-oProxyCommand=x', /no host/],
    ['n1;reboot', /no host/],
    ['n1,,n2', /without a name/],
  ] as const)
    it(`${hosts} has none`, () =>
      assert.throws(
        () => hostRanks({ ...(hosts !== undefined && { hosts }) }),
        ({ code, message }: TuttiError) => code === 'BAD_CONFIG' && why.test(message),
      ));
});
