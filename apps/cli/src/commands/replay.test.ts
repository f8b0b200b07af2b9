import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inTemporaryFolder, LINE, tutti } from '../testing.js';

/** A run of 6 steps with checkpoints of steps 2 and 6; of 4 too, or of 5 if 2 is still being written then. */
async function trained(folder: string, workers: string) {
  const run = await tutti([
    ...['train', LINE, '--json', '--checkpoint-dir', folder, '--workers', workers],
    ...['--checkpoint-every', '2', '--checkpoint-keep', '9'],
  ]);
  assert.equal(run.code, 0, run.stdout);
  return run.json();
}

/** One of step 5 tells its weights, and is not always there. */
async function keepCheckpoints(folder: string, ...steps: readonly number[]) {
  const kept = steps.map((step) => `step-${String(step).padStart(9, '0')}`);
  for (const name of await readdir(folder))
    if (name.startsWith('step-') && !kept.includes(name))
      await rm(join(folder, name), { recursive: true });
}

const replay = (folder: string, ...more: string[]) =>
  tutti(['replay', LINE, '--json', '--checkpoint', folder, ...more]);

describe('tutti replay', () => {
  for (const workers of ['2', '0'])
    it(`finds the same bits in steps of a run with ${workers} workers`, () =>
      inTemporaryFolder(async (folder) => {
        const events = await trained(folder, workers);
        const steps = events.filter(({ event }) => event === 'step');
        const { code, json } = await replay(folder, '--steps', '4..6');
        const told = json();
        assert.equal(code, 0, JSON.stringify(told));
        assert.deepEqual(
          told.slice(0, 3).map(({ step, loss, same }) => ({ step, loss, same })),
          steps.slice(3).map(({ step, loss }) => ({ step, loss, same: true })),
        );
        const last = told.at(-1)!;
        assert.equal(last.checkpoint, join(folder, 'step-000000002'));
        assert.equal(last.compared, 3);
        assert.equal(last.digest, events.at(-1)!.digest);
        // All from the first checkpoint on, if nobody says which.
        assert.equal((await replay(folder)).json().at(-1)!.compared, 4);
      }));

  it('names the step whose gradient was another, and says what to do', () =>
    inTemporaryFolder(async (folder) => {
      await trained(folder, '2');
      const path = join(folder, 'steps.jsonl');
      const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
      assert.equal(lines.length, 6);
      const record = JSON.parse(lines[4]!);
      lines[4] = JSON.stringify({ ...record, digest: '0'.repeat(64) });
      await writeFile(path, `${lines.join('\n')}\n`);
      const { code, json } = await replay(folder, '--steps', '3..6');
      assert.equal(code, 1);
      const { code: error, message } = json().at(-1)!;
      assert.equal(error, 'ARITHMETIC');
      assert.match(
        String(message),
        /^Step 5, computed again from .*step-000000002, gives other bits/,
      );
    }));

  it('compares with the weights of later checkpoints where no step was recorded', () =>
    inTemporaryFolder(async (folder) => {
      await trained(folder, '2');
      await writeFile(join(folder, 'steps.jsonl'), '{"torn');
      await keepCheckpoints(folder, 2, 6);
      const first = join(folder, 'step-000000002');
      const { code, json } = await replay(first, '--steps', '5..6');
      assert.equal(code, 0);
      assert.deepEqual(
        json().flatMap(({ event, same }) => (event === 'replayed-step' ? [same ?? 'unknown'] : [])),
        ['unknown', true],
      );
      const nothing = await replay(first, '--steps', '3');
      assert.equal(nothing.code, 1);
      assert.equal(nothing.json().at(-1)!.code, 'BAD_CHECKPOINT');
    }));

  it('fails where the last of the steps were not recorded, naming them', () =>
    inTemporaryFolder(async (folder) => {
      await trained(folder, '2');
      const path = join(folder, 'steps.jsonl');
      const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
      await writeFile(path, `${lines.slice(0, 4).join('\n')}\n`);
      await keepCheckpoints(folder, 2);
      const { code, json } = await replay(folder, '--steps', '3..5');
      assert.equal(code, 1);
      const last = json().at(-1)!;
      assert.equal(last.code, 'BAD_CHECKPOINT');
      assert.match(String(last.message), /none of the steps 5 to 5/);
      assert.match(String(last.remedy), /--steps 3\.\.4/);
    }));

  it('refuses steps that cannot be reached', () =>
    inTemporaryFolder(async (folder) => {
      await trained(folder, '0');
      const codeOf = async (...more: string[]) =>
        (await replay(...(more as [string]))).json().at(-1)!.code;
      assert.equal(await codeOf(folder, '--steps', '1..2'), 'BAD_CONFIG');
      assert.equal(await codeOf(join(folder, 'step-000000006'), '--steps', '6..7'), 'BAD_CONFIG');
      assert.equal(await codeOf(folder, '--steps', '5..7'), 'BAD_CONFIG');
      for (const wrong of ['0', '3..1', 'x'])
        assert.match((await replay(folder, '--steps', wrong)).stderr, /100\.\.110/);
    }));
});
