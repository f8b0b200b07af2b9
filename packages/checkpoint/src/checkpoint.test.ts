import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { bytesOf } from './bytes.js';
import { parameterDigest } from './digest.js';
import { readCheckpoint } from './read-checkpoint.js';
import { checkpointOf, inTemporaryFolder, parameters, plan, slots } from './testing.js';
import { writeCheckpoint } from './write-checkpoint.js';

const hex = (values: Float32Array) => Buffer.from(bytesOf(values)).toString('hex');

describe('checkpoint', () => {
  it('gives back parameters, optimizer state and manifest, bit for bit', () =>
    inTemporaryFolder(async (folder) => {
      const directory = join(folder, 'runs', 'a');
      const written = await writeCheckpoint(checkpointOf(directory, 4690));
      assert.equal(basename(written.path), 'step-000004690');
      assert.deepEqual((await readdir(written.path)).sort(), [
        'manifest.json',
        'optimizer.safetensors',
        'weights.safetensors',
      ]);
      for (const path of [written.path, directory, join(directory, 'latest')]) {
        const read = await readCheckpoint(path);
        assert.equal(read.step, 4690);
        assert.equal(read.path, written.path);
        assert.deepEqual(
          read.parameters.map(({ name, shape, values }) => [name, shape, hex(values)]),
          parameters.map(({ name, shape, values }) => [name, shape, hex(values)]),
        );
        assert.deepEqual(
          read.slots.map(({ name, values }) => [name, hex(values)]),
          slots.map(({ name, values }) => [name, hex(values)]),
        );
        assert.deepEqual(read.manifest.plan, plan);
        assert.equal(read.manifest.digest, written.digest);
        assert.equal(read.manifest.seed, 7);
      }
    }));

  it('has no optimizer file where the optimizer keeps no state', () =>
    inTemporaryFolder(async (folder) => {
      const written = await writeCheckpoint({ ...checkpointOf(folder, 1), slots: [] });
      assert.deepEqual((await readdir(written.path)).sort(), [
        'manifest.json',
        'weights.safetensors',
      ]);
      assert.deepEqual((await readCheckpoint(folder)).slots, []);
    }));

  it('refuses a file in which any single bit was flipped', () =>
    inTemporaryFolder(async (folder) => {
      const { path } = await writeCheckpoint(checkpointOf(folder, 3));
      const names = await readdir(path);
      const files = new Map<string, Buffer>();
      for (const name of names) files.set(name, await readFile(join(path, name)));
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...names), fc.nat(), async (name, at) => {
          const whole = files.get(name)!;
          const changed = Buffer.from(whole);
          const bit = at % (whole.length * 8);
          changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
          await writeFile(join(path, name), changed);
          await assert.rejects(readCheckpoint(path), { code: 'BAD_CHECKPOINT' });
          await writeFile(join(path, name), whole);
        }),
        { numRuns: 300 },
      );
      await readCheckpoint(path);
    }));

  it('refuses a torn one: a file missing, cut short or of another checkpoint', () =>
    inTemporaryFolder(async (folder) => {
      const { path } = await writeCheckpoint(checkpointOf(folder, 3));
      const other = await writeCheckpoint({
        ...checkpointOf(folder, 4),
        parameters: parameters.map((tensor) => ({ ...tensor, values: tensor.values.map(() => 2) })),
      });
      for (const name of await readdir(path)) {
        const file = join(path, name);
        const whole = await readFile(file);
        await writeFile(file, whole.subarray(0, whole.length - 1));
        await assert.rejects(readCheckpoint(path), { code: 'BAD_CHECKPOINT' });
        await rm(file);
        await assert.rejects(readCheckpoint(path), { code: 'BAD_CHECKPOINT' });
        await writeFile(file, whole);
      }
      await writeFile(
        join(path, 'weights.safetensors'),
        await readFile(join(other.path, 'weights.safetensors')),
      );
      await assert.rejects(readCheckpoint(path), {
        code: 'BAD_CHECKPOINT',
        message: /weights\.safetensors cannot be used: its SHA-256 is/,
      });
    }));

  it('refuses what is foreign: another program, other parameters, no checkpoint at all', () =>
    inTemporaryFolder(async (folder) => {
      await writeCheckpoint(checkpointOf(folder, 3));
      await readCheckpoint(folder, { programHash: 'p1', parameters });
      await assert.rejects(readCheckpoint(folder, { programHash: 'p2' }), {
        code: 'BAD_CHECKPOINT',
        message: /of another program \(dense, hash p1, expected p2\)/,
      });
      await assert.rejects(
        readCheckpoint(folder, { parameters: [{ name: 'kernel', shape: [3, 2] }] }),
        /parameter 0 is kernel \[2, 3\], but the program has kernel \[3, 2\]/,
      );
      await assert.rejects(
        readCheckpoint(folder, { parameters: parameters.slice(0, 1) }),
        /parameter 1 is bias \[3\], but the program has nothing/,
      );
      const empty = join(folder, 'empty');
      await assert.rejects(readCheckpoint(empty), /it does not exist/);
      await mkdir(empty);
      await assert.rejects(readCheckpoint(empty), /there is no checkpoint in it/);
      for (const text of ['{}', 'null', '[]', 'no', '{"format":"tutti-checkpoint"}']) {
        await writeFile(join(empty, 'manifest.json'), text);
        await assert.rejects(readCheckpoint(empty), { code: 'BAD_CHECKPOINT' }, text);
      }
    }));

  it('keeps the newest, and never removes later steps of another run', () =>
    inTemporaryFolder(async (folder) => {
      await writeCheckpoint(checkpointOf(folder, 900));
      for (const step of [100, 200, 300, 400]) {
        await writeCheckpoint({ ...checkpointOf(folder, step), keep: 2 });
      }
      const steps = (await readdir(folder)).filter((name) => name.startsWith('step-')).sort();
      assert.deepEqual(steps, ['step-000000300', 'step-000000400', 'step-000000900']);
      assert.equal((await readCheckpoint(folder)).step, 400);
      await rm(join(folder, 'latest'));
      assert.equal((await readCheckpoint(folder)).step, 900);
    }));

  it('replaces a checkpoint of the same step', () =>
    inTemporaryFolder(async (folder) => {
      await writeCheckpoint(checkpointOf(folder, 5));
      const changed = parameters.map((tensor) => ({
        ...tensor,
        values: tensor.values.map(() => 0.25),
      }));
      await writeCheckpoint({ ...checkpointOf(folder, 5), parameters: changed });
      assert.equal((await readCheckpoint(folder)).parameters[0]!.values[0], 0.25);
      assert.deepEqual((await readdir(folder)).sort(), ['latest', 'step-000000005']);
    }));

  it('removes what a killed process left aside, but not what another one is writing', () =>
    inTemporaryFolder(async (folder) => {
      for (const name of ['.tmp-old', '.tmp-fresh']) {
        await mkdir(join(folder, name));
        await writeFile(join(folder, name, 'weights.safetensors'), 'x');
      }
      await utimes(join(folder, '.tmp-old'), 1, 1);
      await writeCheckpoint(checkpointOf(folder, 5));
      assert.deepEqual((await readdir(folder)).sort(), ['.tmp-fresh', 'latest', 'step-000000005']);
    }));

  it('follows a link to a folder of checkpoints', () =>
    inTemporaryFolder(async (folder) => {
      await writeCheckpoint(checkpointOf(join(folder, 'real'), 5));
      await symlink(join(folder, 'real'), join(folder, 'link'));
      assert.equal((await readCheckpoint(join(folder, 'link'))).step, 5);
    }));
});

describe('parameter digest', () => {
  it('is the SHA-256 of the little-endian bytes in declared order, wherever they are cut', () => {
    const all = Buffer.alloc(12);
    [1, -0, 3.5].forEach((value, i) => void all.writeFloatLE(value, i * 4));
    const expected = createHash('sha256').update(all).digest('hex');
    const values = Float32Array.of(1, -0, 3.5);
    assert.equal(parameterDigest([values]), expected);
    assert.equal(parameterDigest([values.subarray(0, 1), values.subarray(1)]), expected);
    assert.notEqual(parameterDigest([Float32Array.of(1, 0, 3.5)]), expected);
    assert.notEqual(parameterDigest([values.subarray(1), values.subarray(0, 1)]), expected);
  });
});
