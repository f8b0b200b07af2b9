import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tutti } from '../processes/command.js';
import { eachTest } from '../processes/each-test.js';
import { regressionWith } from '../processes/program-files.js';
import { runLocal } from '../processes/run-local.js';
import { freePorts } from './free-ports.js';
import { digestOf, lastEvent, startRank } from './ranks.js';

const each = eachTest(import.meta.url);

const ENDLESS = '{ epochs: 10_000_000, shards: 4 }';
/** Hears nothing any more. */
const BUSY = "await known; console.error('busy'); for (;;);";
const isStep = (line: string) => line.includes('"event":"step"');

describe('tutti node', () => {
  /** Starts all ranks of a job. */
  async function start(path: string, size: number, args: readonly string[] = []) {
    const port = await freePorts();
    const directory = join(each.folder.path, 'runs');
    const all = [path, '--json', '--checkpoint-dir', directory, ...args];
    const ranks = Array.from({ length: size }, (_, rank) =>
      startRank({ rank, size, port, args: all }),
    );
    return { ranks, directory, port };
  }

  it('is one job on all ranks, with the digest of one process', async () => {
    const path = await each.folder.program(regressionWith(''));
    const { ranks, port } = await start(path, 3, ['--workers-per-node', '2']);
    const ended = await Promise.all(ranks.map((rank) => rank.ended));
    for (const [rank, { code, stderr }] of ended.entries()) {
      assert.equal(code, 0, stderr);
      const line = `rank ${rank} of 3 by TUTTI_RANK, coordinator 127.0.0.1:${port}\n`;
      assert.ok(stderr.startsWith(line), stderr);
    }
    assert.equal(digestOf(ended[0]!), (await runLocal(path, { workers: 0 }).result).digest);
    // Six workers and no coordinator run the program.
    await each.roll.assertAllGone(6);
  });

  it('is the same job with a server in the process of each worker', async () => {
    const path = await each.folder.program(regressionWith(''));
    const { ranks } = await start(path, 2, ['--servers', 'colocated']);
    const ended = await Promise.all(ranks.map((rank) => rank.ended));
    for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
    assert.equal(digestOf(ended[0]!), (await runLocal(path, { workers: 0 }).result).digest);
    await each.roll.assertAllGone(2);
  });

  it('told to end at rank 0 leaves a checkpoint and exits with 143, and the others with 0', async () => {
    const path = await each.folder.program(regressionWith('', ENDLESS));
    const { ranks, directory } = await start(path, 2, ['--min-workers', '2']);
    await ranks[0]!.line(isStep);
    ranks[0]!.process.kill('SIGTERM');
    const [first, second] = await Promise.all(ranks.map((rank) => rank.ended));
    assert.equal(first!.code, 143, first!.stderr);
    const last = lastEvent(first!);
    assert.ok(last.event === 'failed' && last.code === 'ABORTED');
    assert.equal(
      last.remedy,
      `Go on with: tutti node ${path} --min-workers 2 --json --checkpoint-dir ${directory} --resume latest`,
    );
    assert.ok(existsSync(String(last.details.checkpoint)));
    assert.equal(second!.code, 0, second!.stderr + second!.stdout);
    await each.roll.assertAllGone(2);

    const steps = Number(last.details.step) + 10;
    const again = await start(path, 2, ['--resume', 'latest', '--steps', `${steps}`]);
    const ended = await Promise.all(again.ranks.map((rank) => rank.ended));
    assert.equal(digestOf(ended[0]!), (await runLocal(path, { workers: 0, steps }).result).digest);
  });

  it('told to leave at another rank hands over and exits with what it was given for that', async () => {
    const path = await each.folder.program(regressionWith('', ENDLESS));
    const { ranks } = await start(path, 3, ['--drained-exit-code', '77']);
    await ranks[0]!.line(isStep);
    ranks[1]!.process.kill('SIGTERM');
    assert.equal((await ranks[1]!.ended).code, 77);
    // Dies without a word: the others go on with its shards, too.
    ranks[2]!.process.kill('SIGKILL');
    await ranks[0]!.line((line) => /"worker-left".*"w2"/.test(line));
    await ranks[0]!.line(isStep);
    ranks[0]!.process.kill('SIGTERM');
    assert.equal((await ranks[0]!.ended).code, 143);
    await each.roll.everyoneGone();
  });

  it('told to leave before it has joined exits in the same way', async () => {
    const path = await each.folder.program(regressionWith(''));
    const nowhere = ['--coordinator', 'tcp://127.0.0.1:9', '--drained-exit-code'];
    for (const code of [0, 77]) {
      const worker = tutti(['worker', path, ...nowhere, `${code}`]);
      await worker.line((line) => line.includes('is here'), 'stderr');
      worker.process.kill('SIGTERM');
      const ended = await worker.ended;
      assert.equal(ended.code, code, ended.stderr);
    }
  });

  it('leaves nothing behind that was killed at rank 0', async () => {
    const path = await each.folder.program(regressionWith(BUSY, ENDLESS));
    const { ranks } = await start(path, 1);
    await ranks[0]!.line((line) => line === 'busy', 'stderr');
    ranks[0]!.process.kill('SIGKILL');
    await each.roll.everyoneGone();
  });

  it('ends all ranks at once where the program of rank 0 cannot begin', async () => {
    const path = await each.folder.program('export default 1;');
    const { ranks } = await start(path, 2);
    const [lead, other] = await Promise.all(ranks.map((rank) => rank.ended));
    assert.equal(lead!.code, 1);
    assert.match(lead!.stderr, /BAD_PROGRAM/);
    // It may hear that the job has ended before it has looked at its program: then it was told to go.
    const found = /BAD_PROGRAM/.test(other!.stderr);
    assert.equal(other!.code, found ? 1 : 0, other!.stderr);
    if (!found) assert.match(other!.stderr, /^stopped$/m);
  });

  it('gives each task of a job array a folder of its own', async () => {
    const path = await each.folder.program(regressionWith(''));
    const port = await freePorts();
    const directory = join(each.folder.path, 'runs');
    const args = [path, '--json', '--checkpoint-dir', directory];
    for (const task of ['1', '2']) {
      const environment = { SLURM_ARRAY_JOB_ID: '7', SLURM_ARRAY_TASK_ID: task };
      const { ended } = startRank({ rank: 0, size: 1, port, args, environment });
      const last = lastEvent(await ended);
      assert.ok(last.event === 'finished');
      assert.ok(last.modelPath?.startsWith(join(directory, `task-${task}`)), `${last.modelPath}`);
    }
  });
});
