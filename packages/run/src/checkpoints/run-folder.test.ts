import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateCheckpoint } from '@tutti/checkpoint';
import { samplePlan } from '@tutti/testing';
import { createCheckpointFolder } from './checkpoint-folder.js';
import type { Snapshot } from './snapshot.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tutti-runs-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const planOf = (learningRate: number) =>
  samplePlan({ steps: 9, optimizer: { name: 'sgd', learningRate } });

const snapshotOf = (job: string, learningRate: number, step: number): Snapshot => ({
  job,
  plan: planOf(learningRate),
  step,
  flat: Float32Array.of(learningRate, step),
  slots: [],
  ranges: [2],
  versions: {},
});

/** A run that has begun. */
async function begun(job: string, learningRate: number, runs: boolean, from?: string) {
  const sink = createCheckpointFolder({ directory: root, runs });
  await sink.begin!({ job, plan: planOf(learningRate), from });
  return {
    write: async (step: number) =>
      (await sink.write(snapshotOf(job, learningRate, step), false, () => {})).path,
    close: () => sink.close!(),
  };
}

describe('the folder of a run', () => {
  it('is its own where runs share one, also side by side; latest is of the one that wrote last', async () => {
    const [a, b] = await Promise.all([begun('a', 0.1, true), begun('b', 0.5, true)]);
    const left = [await a.write(3), await b.write(3), await b.write(4)];
    assert.equal(new Set(left.map((path) => path.split('/').at(-2))).size, 2);
    assert.equal(await locateCheckpoint(root), left[2]);
    const last = await a.write(5);
    assert.equal(await locateCheckpoint(root), last);
    assert.equal(await locateCheckpoint(join(root, 'latest')), last);
    await Promise.all([a.close(), b.close()]);
    for (const path of left) assert.equal(await locateCheckpoint(path), path);
  });

  it('is that of the checkpoint it goes on from, and that of a job that servers still hold', async () => {
    const first = await begun('a', 0.1, true);
    const path = await first.write(3);
    await first.close();
    const on = await begun('b', 0.1, true, path);
    assert.equal(await on.write(4), path.replace(/3$/, '4'));
    await on.close();
    const again = await begun('b', 0.1, true);
    assert.equal(await again.write(5), path.replace(/3$/, '5'));
    await again.close();
  });

  it('leaves nothing where nothing was written', async () => {
    await (await begun('a', 0.1, true)).close();
    assert.deepEqual(await readdir(root), []);
    await (await begun('a', 0.1, false)).close();
    assert.deepEqual(await readdir(root), []);
  });

  it('that somebody names and that is not there yet is claimed before anything is written', async () => {
    const sink = (name: string) => createCheckpointFolder({ directory: join(root, name) });
    const run = { plan: planOf(0.1), from: undefined };
    const first = sink('new');
    await first.begin!({ job: 'a', ...run });
    await assert.rejects(sink('new').begin!({ job: 'b', ...run }), { code: 'FOLDER_IN_USE' });
    await first.close!();
    assert.deepEqual(await readdir(root), []);
  });

  it('that somebody names is refused to another run, which is told what is there', async () => {
    const first = await begun('a', 0.1, false);
    const path = await first.write(3);
    await first.close();
    await assert.rejects(begun('b', 0.5, false), {
      code: 'FOLDER_IN_USE',
      message: /another run, up to step 3: .*learning rate is 0\.1 instead of 0\.5/,
    });
    // The same experiment gives the same bits.
    const same = await begun('c', 0.1, false);
    assert.equal(await same.write(3), path);
    await same.close();
  });

  it('is refused while a process writes into it, and free once that was killed', async () => {
    const first = await begun('a', 0.1, false);
    await first.write(3);
    await assert.rejects(begun('b', 0.1, false), { code: 'FOLDER_IN_USE', message: /job a/ });
    const owner = JSON.parse(await readFile(join(root, 'owner.json'), 'utf8'));
    assert.equal(owner.pid, process.pid);
    await first.close();

    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(other, 'spawn');
    const { since: _, ...rest } = { ...owner, pid: other.pid };
    await writeFile(join(root, 'owner.json'), JSON.stringify(rest));
    await assert.rejects(begun('b', 0.1, false), { code: 'FOLDER_IN_USE' });
    other.kill('SIGKILL');
    await once(other, 'exit');
    await (await begun('b', 0.1, false)).close();
    // The number of one that was killed may be somebody else's by now.
    if (owner.since !== undefined) {
      const recycled = { ...owner, since: `${owner.since}0` };
      await writeFile(join(root, 'owner.json'), JSON.stringify(recycled));
      await (await begun('b', 0.1, false)).close();
    }
    assert.equal((await readdir(root)).includes('owner.json'), false);
  });

  for (const runs of [false, true])
    it(`tells of a job whose coordinator was killed, until somebody forgets it${runs ? ', where runs share one' : ''}`, async () => {
      const sink = createCheckpointFolder({ directory: root, runs });
      const plan = planOf(0.1);
      const coordinator = 'tcp://here:1';
      const directory = await sink.begin!({ job: 'a', plan, from: undefined, coordinator });
      const request = { programName: plan.programName, programHash: plan.programHash, coordinator };
      const left = () => sink.unfinished!(request);
      // It lives.
      assert.equal(await left(), undefined);
      const path = join(directory!, 'owner.json');
      const owner = JSON.parse(await readFile(path, 'utf8'));
      await sink.close!();
      assert.equal(await left(), undefined);

      const other = spawn(process.execPath, ['-e', '']);
      await once(other, 'exit');
      const { since: _, ...rest } = { ...owner, pid: other.pid };
      await mkdir(directory!, { recursive: true });
      const leave = (changed: object) => writeFile(path, JSON.stringify({ ...rest, ...changed }));
      for (const foreign of [
        { coordinator: 'tcp://there:1' },
        { program: 'another' },
        { host: 'another' },
        { coordinator: undefined },
      ]) {
        await leave(foreign);
        assert.equal(await left(), undefined, JSON.stringify(foreign));
      }
      await leave({});
      const found = await left();
      assert.equal(found?.job, 'a');
      await found!.forget();
      assert.equal(await left(), undefined);
      assert.equal((await readdir(directory!)).includes('owner.json'), false);
    });
});
