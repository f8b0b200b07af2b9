import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { CONTROLLER, CREDENTIALS_S, NODES, type Slurm, startSlurm, until } from './slurm.js';

const SCRIPTS = fileURLToPath(new URL('../../../deploy/slurm', import.meta.url));

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

  /** Submits one of the scripts that are shipped, and reads what it writes. */
  async function submit(script: string, program: string) {
    const output = join(folder.path, 'output');
    const variables = {
      TUTTI: `${process.execPath} ${MAIN}`,
      TUTTI_KEY_FILE: join(folder.path, 'job.key'),
      CHECKPOINT_EVERY: '5',
    };
    const job = await slurm!.call(
      ...['env', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)],
      ...['sbatch', '--parsable', `--output=${output}`, `--chdir=${folder.path}`],
      ...[join(SCRIPTS, script), program, '--json', ...HELD_FLAGS],
    );
    let text = '';
    keepAccount('the job', () => lastLinesOf(text));
    return {
      job,
      /** Resolves with all that it has written when something is in it. */
      async says(what: RegExp) {
        await until(async () => {
          text = await readFile(output, 'utf8').catch(() => '');
          return what.test(text);
        });
        return text;
      },
    };
  }

  const digestsIn = (text: string) =>
    [...text.matchAll(/"digest":"(\w+)"/g)].map(([, digest]) => digest);

  it('requeues a job, which goes on from its checkpoint to the same digest', async () => {
    const { path, release } = await heldProgram(folder, 20);
    const { job, says } = await submit('requeue.sbatch', path);
    await says(/"event":"checkpoint"/);
    await slurm!.call('scontrol', 'requeue', job);
    await release();
    await until(async () => (await slurm!.call('squeue', '--noheader', '--format=%t')) === 'PD');
    // As soon as the credentials of its first start have expired: by itself it waits for minutes, and sooner a
    // node may refuse it, and the job be held.
    const start = `StartTime=now+${CREDENTIALS_S + 2}seconds`;
    await slurm!.call('scontrol', 'update', `JobId=${job}`, start);
    const text = await says(/"digest"/);
    assert.match(text, /"resumed":/);
    assert.deepEqual(digestsIn(text), [await expected(path)]);
  });

  it('loses a node, and the others finish with the same digest', async () => {
    const { path, release } = await heldProgram(folder, 20);
    const { job, says } = await submit('elastic.sbatch', path);
    await says(/"step":20,/);
    const others = [CONTROLLER, 'n1'];
    for (const other of others) {
      await hosts.cut(other, 'n2');
      await hosts.cut('n2', other);
    }
    await says(/"worker-left"/);
    await release();
    assert.deepEqual(digestsIn(await says(/"digest"/)), [await expected(path)]);
    await slurm!.call('scancel', job);
    for (const other of others) {
      await hosts.heal(other, 'n2');
      await hosts.heal('n2', other);
    }
  });
});
