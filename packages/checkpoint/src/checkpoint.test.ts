import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { tuttiVersion } from '@tutti/runtime';
import fc from 'fast-check';
import { bytesOf } from './bytes.js';
import { parameterDigest } from './digest.js';
import { latestCheckpoints, listCheckpoints } from './folder.js';
import { manifestText } from './manifest.js';
import { readCheckpoint, readManifest } from './read-checkpoint.js';
import { checkpointOf, facts, inTemporaryFolder, parameters, plan, slots } from './testing.js';
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
        message: /of another program \(line, hash p1, expected p2\)/,
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

  /** Each is written instead of what the manifest has under that name. */
  const broken: [name: string, value: unknown][] = [
    ...[
      null,
      [],
      'x',
      { 'weights.safetensors': null },
      { 'weights.safetensors': { bytes: -1 } },
    ].map((files): [string, unknown] => ['files', files]),
    ...['x', -5, 0.5, null, undefined].map((step): [string, unknown] => ['step', step]),
    ...['plan', 'digest', 'seed', 'programHash', 'versions'].map((name): [string, unknown] => [
      name,
      undefined,
    ]),
    ['plan', { ...plan, parameters: null }],
    ['job', 7],
  ];
  for (const [name, value] of broken)
    it(`refuses one whose ${name} is ${JSON.stringify(value)?.slice(0, 40)}, with a checksum that fits`, () =>
      inTemporaryFolder(async (folder) => {
        const { path } = await writeCheckpoint(checkpointOf(folder, 3));
        const file = join(path, 'manifest.json');
        const { checksum: _, ...body } = JSON.parse(await readFile(file, 'utf8'));
        await writeFile(file, manifestText({ ...body, [name]: value }));
        for (const read of [readCheckpoint, readManifest])
          await assert.rejects(read(path), { code: 'BAD_CHECKPOINT', message: /manifest\.json/ });
      }));

  it('refuses one in a format of later, naming the Tutti that wrote it', () =>
    inTemporaryFolder(async (folder) => {
      const { path } = await writeCheckpoint(checkpointOf(folder, 3));
      const file = join(path, 'manifest.json');
      const written = JSON.parse(await readFile(file, 'utf8'));
      // Whatever else such a manifest has: another checksum, say.
      const later = { ...written, formatVersion: 2, checksum: 'c', versions: { tutti: '9.8.7' } };
      await writeFile(file, JSON.stringify(later));
      await assert.rejects(readCheckpoint(path), {
        code: 'BAD_CHECKPOINT',
        message: `${file} cannot be used: Tutti 9.8.7 wrote it in version 2 of the format, and this Tutti ${tuttiVersion()} reads version 1.`,
        remedy: 'Use Tutti 9.8.7, or another checkpoint.',
      });
      for (const versions of [undefined, null, { tutti: {} }]) {
        await writeFile(file, JSON.stringify({ ...later, versions }));
        await assert.rejects(readCheckpoint(path), {
          message: /another version of Tutti wrote it in version 2/,
        });
      }
    }));

  it('keeps the newest, and never removes later steps of another run', () =>
    inTemporaryFolder(async (folder) => {
      await writeCheckpoint(checkpointOf(folder, 900));
      for (const step of [100, 200, 300, 400]) {
        await writeCheckpoint({ ...checkpointOf(folder, step), keep: { newest: 2 } });
      }
      const steps = (await readdir(folder)).filter((name) => name.startsWith('step-')).sort();
      assert.deepEqual(steps, ['step-000000300', 'step-000000400', 'step-000000900']);
      assert.equal((await readCheckpoint(folder)).step, 400);
      await rm(join(folder, 'latest'));
      assert.equal((await readCheckpoint(folder)).step, 900);
    }));

  it('keeps the best by a metric, and what is of another run or damaged, besides the newest', () =>
    inTemporaryFolder(async (folder) => {
      const write = (step: number, loss?: number, accuracy = 0, run = plan) => {
        const evaluation =
          loss === undefined ? {} : { evaluation: { loss, metrics: { accuracy } } };
        const keep = { newest: 1, best };
        const manifest = { ...facts, plan: run, ...evaluation };
        return writeCheckpoint({ ...checkpointOf(folder, step), keep, manifest });
      };
      const steps = async () => (await listCheckpoints(folder)).map(({ step }) => step);
      let best = 'loss';
      await write(1, 0.5, 0.2, { ...plan, seed: 8 });
      await writeFile(join((await write(2)).path, 'manifest.json'), 'torn');
      await write(3, 0.3, 0.4);
      await write(4, 0.2, 0.6);
      await write(5, 0.4, 0.7);
      await write(6);
      assert.deepEqual(await steps(), [1, 2, 4, 6]);
      await write(7, 0.9, 0.9);
      best = 'accuracy';
      await write(8, 0.1, 0.1, { ...plan, steps: 99 });
      assert.deepEqual(await steps(), [1, 2, 7, 8]);
    }));

  it('has files for each server range, cut within a parameter too, and reads them as one', () =>
    inTemporaryFolder(async (folder) => {
      for (const [step, ranges] of [
        [1, [4, 5]],
        [2, [1, 0, 7, 1]],
        [3, [6, 3]],
      ] as const) {
        const { path, digest } = await writeCheckpoint({ ...checkpointOf(folder, step), ranges });
        const names = await readdir(path);
        const count = ranges.filter((floats) => floats > 0).length;
        assert.equal(names.length, 1 + 2 * count);
        assert.ok(names.includes(`optimizer-00001-of-0000${count}.safetensors`));
        const read = await readCheckpoint(path, { parameters });
        assert.equal(digest, parameterDigest(parameters.map(({ values }) => values)));
        assert.deepEqual(
          read.parameters.map(({ values }) => hex(values)),
          parameters.map(({ values }) => hex(values)),
        );
        assert.deepEqual(
          read.slots.map(({ name, values }) => [name, hex(values)]),
          slots.map(({ name, values }) => [name, hex(values)]),
        );
        await rm(join(path, `weights-00002-of-0000${count}.safetensors`));
        await assert.rejects(readCheckpoint(path), /00002.* cannot be used: it is missing/);
      }
    }));

  it('tells which to try when the latest is wanted', () =>
    inTemporaryFolder(async (folder) => {
      const order = async () => (await latestCheckpoints(folder)).map(({ step }) => step);
      assert.deepEqual(await order(), []);
      for (const step of [100, 900, 200]) await writeCheckpoint(checkpointOf(folder, step));
      assert.deepEqual(await order(), [200, 100]);
      await rm(join(folder, 'latest'));
      assert.deepEqual(await order(), [900, 200, 100]);
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
