import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKeyFile } from '@tutti/transport';
import { keepAccount, lastLinesOf } from '../processes/accounts.js';
import { MAIN, tutti } from '../processes/command.js';
import { HELD_FLAGS } from '../processes/gated-program.js';
import { createHosts, type Hosts } from '../processes/hosts.js';
import { createFolder, type Folder, regressionWith } from '../processes/program-files.js';
import { runLocal } from '../processes/run-local.js';
import { heldProgram } from './held-program.js';
import { need, skip } from './needs.js';
import { digestOf } from './ranks.js';
import { CONTROLLER, NODES, type Slurm, startSlurm, until } from './slurm.js';

describe('Slurm', () => {
  let hosts: Hosts;
  let slurm: Slurm | undefined;
  let folder: Folder;

  before(async function () {
    need(this, {
      root: true,
      packages: {
        slurmctld: 'slurmctld',
        slurmd: 'slurmd',
        srun: 'slurm-client',
        munged: 'munge',
        ip: 'iproute2',
        unshare: 'util-linux',
      },
    });
    const made = await createHosts([CONTROLLER, ...NODES], { root: true });
    if (typeof made === 'string') skip(this, made);
    hosts = made;
  });
  after(() => hosts?.end());
  beforeEach(async () => {
    folder = await createFolder();
    await createKeyFile(join(folder.path, 'job.key'));
    slurm = await startSlurm(hosts, join(folder.path, 'slurm'));
  });
  afterEach(async () => {
    await slurm?.end();
    slurm = undefined;
    await folder.remove();
  });

  const srun = (args: readonly string[], options: readonly string[]) =>
    tutti(['node', ...args], [...slurm!.via, 'srun', ...options], 'srun');
  const files = () => [
    ...['--checkpoint-dir', join(folder.path, 'runs')],
    ...['--key-file', join(folder.path, 'job.key')],
  ];
  const expected = async (path: string) => (await runLocal(path, { workers: 0 }).result).digest;

  it('starts the ranks of one job on two nodes, with the digest of one process', async () => {
    const path = await folder.program(regressionWith('', '{ shards: 4 }'));
    const { code, stdout, stderr } = await srun(
      [path, '--json', ...files()],
      ['--nodes=2', '--ntasks=3', '--label'],
    ).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^2: rank 2 of 3 by srun, coordinator n1:\d+$/m);
    const ofFirst = stdout.split('\n').flatMap((line) => /^0: (\{.*)$/.exec(line)?.[1] ?? []);
    assert.equal(digestOf({ stdout: ofFirst.join('\n'), stderr }), await expected(path));
  });

  it('requeues a job, which goes on from its checkpoint to the same digest', async () => {
    const { path, release } = await heldProgram(folder, 20);
    const script = join(folder.path, 'job.sbatch');
    const output = join(folder.path, 'output');
    const node = [process.execPath, MAIN, 'node', path, '--json', ...files()];
    const every = ['--checkpoint-every', '5', '--resume', 'latest', ...HELD_FLAGS];
    await writeFile(
      script,
      [
        '#!/bin/sh',
        '#SBATCH --nodes=2 --ntasks=2 --requeue --open-mode=append',
        `#SBATCH --output=${output}`,
        `exec srun --label ${[...node, ...every].join(' ')}`,
      ].join('\n'),
    );
    let text = '';
    keepAccount('the job', () => lastLinesOf(text));
    const says = (what: RegExp) =>
      until(async () => {
        text = await readFile(output, 'utf8').catch(() => '');
        return what.test(text);
      });
    const job = await slurm!.call('sbatch', '--parsable', script);
    await says(/"event":"checkpoint"/);
    await slurm!.call('scontrol', 'requeue', job);
    await release();
    await until(async () => (await slurm!.call('squeue', '--noheader', '--format=%t')) === 'PD');
    // Not only when the credentials of its first start have expired.
    await slurm!.call('scontrol', 'update', `JobId=${job}`, 'StartTime=now');
    await says(/"digest"/);
    assert.match(text, /"resumed":/);
    const digests = [...text.matchAll(/"digest":"(\w+)"/g)].map(([, digest]) => digest);
    process.env.UNHELD = '1';
    assert.deepEqual(digests, [await expected(path)]);
  });

  it('loses a node, and the others finish with the same digest', async () => {
    const { path, release } = await heldProgram(folder, 20);
    const elastic = ['--no-kill', '--kill-on-bad-exit=0', '--wait=0'];
    const command = srun(
      [path, '--json', ...files(), ...HELD_FLAGS],
      ['--nodes=2', '--ntasks=2', ...elastic],
    );
    await command.line((line) => line.includes('"step":20,'));
    for (const other of [CONTROLLER, 'n1']) {
      await hosts.cut(other, 'n2');
      await hosts.cut('n2', other);
    }
    await command.line((line) => line.includes('"worker-left"'));
    await release();
    const finished = await command.line((line) => line.includes('"digest"'));
    assert.ok(finished.includes(await expected(path)), finished);
    await command.ended;
    for (const other of [CONTROLLER, 'n1']) {
      await hosts.heal(other, 'n2');
      await hosts.heal('n2', other);
    }
  });
});
