import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createKeyFile } from '@tutti/transport';
import { tutti } from '../processes/command.js';
import { eachTest } from '../processes/each-test.js';
import { createHosts, type Hosts } from '../processes/hosts.js';
import { regressionWith } from '../processes/program-files.js';
import { runLocal } from '../processes/run-local.js';
import { need, skip } from './needs.js';
import { digestOf } from './ranks.js';

const each = eachTest(import.meta.url);

describe('hosts with addresses of their own', () => {
  let hosts: Hosts;
  before(async function () {
    need(this, { packages: { ip: 'iproute2', unshare: 'util-linux', nsenter: 'util-linux' } });
    const made = await createHosts(['n1', 'n2', 'n3']);
    if (typeof made === 'string') skip(this, made);
    hosts = made;
  });
  after(() => hosts?.end());

  /** As the launchers that share nothing but variables say it. */
  const said: readonly [launcher: string, of: (rank: number) => Record<string, string>][] = [
    [
      'TUTTI_RANK',
      (rank) => ({
        TUTTI_RANK: `${rank}`,
        TUTTI_WORKERS: '3',
        TUTTI_COORDINATOR: 'tcp://n1:29500',
      }),
    ],
    [
      'torchrun',
      (rank) => ({
        RANK: `${rank}`,
        WORLD_SIZE: '3',
        MASTER_ADDR: 'n1',
        MASTER_PORT: '29400',
        TORCHELASTIC_USE_AGENT_STORE: 'True',
      }),
    ],
    [
      'SkyPilot',
      (rank) => ({
        SKYPILOT_NODE_RANK: `${rank}`,
        SKYPILOT_NODE_IPS: ['n1', 'n2', 'n3'].map((name) => hosts.addressOf(name)).join('\n'),
      }),
    ],
  ];
  for (const [launcher, of] of said)
    it(`train as one job of ${launcher}, with the digest of one process`, async () => {
      const path = await each.folder.program(regressionWith('', '{ shards: 4 }'));
      const key = join(each.folder.path, 'job.key');
      await createKeyFile(key);
      const ranks = ['n1', 'n2', 'n3'].map((host, rank) => {
        const variables = Object.entries(of(rank)).map(([name, value]) => `${name}=${value}`);
        return tutti(
          [
            'node',
            path,
            '--json',
            '--checkpoint-dir',
            join(each.folder.path, 'runs'),
            '--key-file',
            key,
          ],
          [...hosts.via(host), 'env', ...variables],
          `rank ${rank}`,
        );
      });
      const ended = await Promise.all(ranks.map((rank) => rank.ended));
      for (const [rank, { code, stderr }] of ended.entries()) {
        assert.equal(code, 0, stderr);
        assert.ok(stderr.startsWith(`rank ${rank} of 3 by ${launcher}, coordinator `), stderr);
      }
      assert.equal(digestOf(ended[0]!), (await runLocal(path, { workers: 0 }).result).digest);
    });
});
