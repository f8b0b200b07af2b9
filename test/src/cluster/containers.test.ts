import assert from 'node:assert/strict';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKeyFile } from '@tutti/transport';
import type { Command } from '../processes/command.js';
import { HELD_FLAGS } from '../processes/gated-program.js';
import { createHosts, type Hosts } from '../processes/hosts.js';
import { createFolder, type Folder } from '../processes/program-files.js';
import { runLocal } from '../processes/run-local.js';
import { runContainer, USER } from './containers.js';
import { endAllOf } from './end-all.js';
import { heldProgram } from './held-program.js';
import { need, skip } from './needs.js';
import { digestOf } from './ranks.js';

const HOSTS = ['first', 'second', 'n2', 'n3'];

describe('containers of another user, with a root that is read-only and no /tmp', () => {
  let hosts: Hosts;
  let folder: Folder;
  before(async function () {
    need(this, {
      root: true,
      packages: { runc: 'runc', ip: 'iproute2', unshare: 'util-linux' },
    });
    const made = await createHosts(HOSTS, { root: true });
    if (typeof made === 'string') skip(this, made);
    hosts = made;
  });
  after(() => hosts?.end());
  beforeEach(async () => {
    folder = await createFolder();
    await chmod(folder.path, 0o755);
  });
  afterEach(async () => {
    await endAllOf(hosts, HOSTS);
    await folder.remove();
  });

  it('train to the digest of one process, though their coordinator moves to another address', async () => {
    const { path, release } = await heldProgram(folder, 20);
    const names = join(folder.path, 'names');
    const called = (host: string) =>
      writeFile(names, `127.0.0.1 localhost\n${hosts.addressOf(host)} lead\n`);
    const runs = join(folder.path, 'runs');
    const key = join(folder.path, 'job.key');
    await createKeyFile(key);
    await chown(key, USER, USER);
    const keyed = ['--key-file', key];
    const container = (name: string, host: string, args: readonly string[], more = {}) =>
      runContainer({ name, hosts, host, folder: folder.path, names, args, ...more });
    const coordinator = (host: string) =>
      container(
        `coordinator-${host}`,
        host,
        [
          ...['coordinator', '--workers', '2', '--json', '--checkpoint-dir', runs],
          ...['--listen', 'tcp://*:29500', '--advertise', 'lead', '--checkpoint-every', '5'],
          ...['--resume', 'latest', ...HELD_FLAGS, ...keyed],
        ],
        { runs },
      );

    await called('first');
    const first = coordinator('first');
    const workers = ['n2', 'n3'].map((host) =>
      container(`worker-${host}`, host, [
        ...['worker', path, '--coordinator', 'tcp://lead:29500', ...keyed],
      ]),
    );
    await Promise.race([
      first.line((line) => line.includes('"event":"checkpoint"')),
      ...workers.map(failed),
    ]);
    await endAllOf(hosts, ['first']);
    await first.ended;
    await called('second');
    const second = coordinator('second');
    await second.line((line) => line.includes('"worker-joined"'));
    await release();
    const ended = await second.ended;
    assert.equal(ended.code, 0, ended.stderr);
    for (const { code, stderr } of await Promise.all(workers.map((worker) => worker.ended)))
      assert.equal(code, 0, stderr);
    assert.match(ended.stdout, /"resumed":/);
    assert.equal(digestOf(ended), (await runLocal(path, { workers: 0 }).result).digest);
  });
});

async function failed({ ended }: Command): Promise<never> {
  const { code, stderr } = await ended;
  throw new Error(`A worker ended with ${code}: ${stderr}`);
}
