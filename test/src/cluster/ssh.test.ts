import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAIN, tutti } from '../processes/command.js';
import { eachTest } from '../processes/each-test.js';
import { regressionWith } from '../processes/program-files.js';
import { runLocal } from '../processes/run-local.js';
import { freePorts } from './free-ports.js';
import { need } from './needs.js';
import { digestOf, lastEvent } from './ranks.js';
import { type Sshd, startSshd } from './sshd.js';

const each = eachTest(import.meta.url);

const ENDLESS = '{ epochs: 10_000_000, shards: 4 }';
const isStep = (line: string) => line.includes('"event":"step"');

describe('tutti launch', () => {
  let sshd: Sshd;
  before(function () {
    need(this, { packages: { sshd: 'openssh-server', ssh: 'openssh-client' } });
  });
  beforeEach(async () => {
    const keys = join(each.folder.path, 'keys');
    await mkdir(keys);
    sshd = await startSshd(keys);
  });
  afterEach(() => sshd.end());

  /** Names of this machine are hosts of their own to the launcher. */
  async function launch(path: string, hosts: readonly string[], more: readonly string[] = []) {
    const port = await freePorts();
    const directory = join(each.folder.path, 'runs');
    // ssh hands on none of the variables here; the roll is called by one.
    const there = ['env', `ROLL_CALL_PORT=${process.env.ROLL_CALL_PORT}`, process.execPath, MAIN];
    const args = [
      ...['launch', path, '--ssh', sshd.client, '--checkpoint-dir', directory],
      ...['--remote-tutti', there.join(' '), '--coordinator', `tcp://127.0.0.1:${port}`],
      ...[...hosts, ...more],
    ];
    return { command: tutti(args, ['env', 'TUTTI_SHARDS=4']), directory, port };
  }

  it('is one job over hosts, with the digest of one process', async () => {
    const path = await each.folder.program(regressionWith('', '{ shards: 4 }'));
    const hostfile = join(each.folder.path, 'hosts');
    await writeFile(hostfile, '# two ranks, and one\n127.0.0.1 slots=2\nlocalhost\n');
    const { command } = await launch(path, ['--hostfile', hostfile], ['--json']);
    const ended = await command.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(digestOf(ended), (await runLocal(path, { workers: 0 }).result).digest);
    for (const [rank, host] of ['127.0.0.1', '127.0.0.1', 'localhost'].entries())
      assert.ok(ended.stderr.includes(`[${rank} ${host}] rank ${rank} of 3 by`), ended.stderr);
    await each.roll.assertAllGone(3);
  });

  it('gives its ranks a key of their own, without which nobody is told anything', async () => {
    const path = await each.folder.program(regressionWith('', ENDLESS));
    const { command, port } = await launch(path, ['--hosts', '127.0.0.1'], ['--json']);
    await command.line(isStep);
    const status = await tutti(['status', '--coordinator', `tcp://127.0.0.1:${port}`]).ended;
    assert.equal(status.code, 1);
    assert.match(status.stderr, /no key in common/);
    command.process.kill('SIGTERM');
    assert.equal((await command.ended).code, 143);
  });

  it('that is killed leaves a checkpoint, and nothing on any host', async () => {
    const path = await each.folder.program(regressionWith('', ENDLESS));
    const hosts = ['--hosts', '127.0.0.1,localhost'];
    const { command, directory } = await launch(path, hosts, ['--json']);
    await command.line(isStep);
    const began = Date.now();
    command.process.kill('SIGKILL');
    await each.roll.everyoneGone();
    // What is promised; the limits that hold it add up to 8 s.
    assert.ok(Date.now() - began < 10_000);
    assert.ok(existsSync(join(directory, 'latest')));
  });

  it('that is told to end leaves a checkpoint and exits as rank 0 does', async () => {
    const path = await each.folder.program(regressionWith('', ENDLESS));
    const { command } = await launch(path, ['--hosts', '127.0.0.1,localhost'], ['--json']);
    await command.line(isStep);
    command.process.kill('SIGTERM');
    const ended = await command.ended;
    assert.equal(ended.code, 143, ended.stderr);
    const last = lastEvent(ended);
    assert.ok(last.event === 'failed' && existsSync(String(last.details.checkpoint)));
    const again =
      / --hosts '127\.0\.0\.1,localhost' --ssh 'ssh -F \S+' .*--checkpoint-dir \S+ --resume latest$/;
    assert.ok(last.remedy.startsWith(`Go on with: tutti launch ${path} `), last.remedy);
    assert.match(last.remedy, again);
    await each.roll.assertAllGone(2);
  });

  it('says what a host lacks, and ends what it has started on others', async () => {
    const path = await each.folder.program(regressionWith('', ENDLESS));
    const cases = [
      [['--hosts', '127.0.0.1,nobody.invalid'], /started on nobody\.invalid: ssh ended .*nobody/],
      [['--hosts', '127.0.0.1', '--remote-tutti', 'no-tutti'], /started on 127\.0\.0\.1.*no-tutti/],
    ] as const;
    for (const [hosts, why] of cases) {
      const { code, stderr } = await (await launch(path, hosts)).command.ended;
      assert.equal(code, 1);
      assert.match(stderr, why);
      await each.roll.everyoneGone();
    }
  });
});
