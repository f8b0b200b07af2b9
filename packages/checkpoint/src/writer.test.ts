import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TuttiError } from '@tutti/runtime';
import { readCheckpoint } from './read-checkpoint.js';
import { checkpointOf, failingFileSystem, inTemporaryFolder } from './testing.js';
import { createCheckpointWriter } from './writer.js';

/** The memory passes to the thread: each checkpoint has its own. */
function ownCheckpoint(folder: string, step: number) {
  const { slots = [], parameters, ...rest } = checkpointOf(folder, step);
  const own = <T extends { values: Float32Array }>(item: T) => ({
    ...item,
    values: item.values.slice(),
  });
  return { ...rest, parameters: parameters.map(own), slots: slots.map(own) };
}

describe('checkpoint writer', () => {
  it('writes in its thread what can be read again, one after the other', () =>
    inTemporaryFolder(async (folder) => {
      const writer = createCheckpointWriter();
      const written = await Promise.all(
        [1, 2, 3].map((step) => writer.write(ownCheckpoint(folder, step))),
      );
      for (const { path, digest } of written)
        assert.equal((await readCheckpoint(path)).manifest.digest, digest);
      assert.equal((await readCheckpoint(folder)).step, 3);
      await writer.close();
    }));

  it('tells what cannot be written as it is told without a thread, and goes on', () =>
    inTemporaryFolder(async (folder) => {
      const writer = createCheckpointWriter();
      const file = join(folder, 'file');
      await writeFile(file, 'mine');
      await assert.rejects(writer.write(ownCheckpoint(file, 1)), (error) => {
        assert.ok(error instanceof TuttiError);
        assert.equal(error.code, 'STORAGE');
        assert.match(error.remedy, /is a file: name a folder/);
        return true;
      });
      assert.equal(
        (await writer.write(ownCheckpoint(folder, 2))).path,
        join(folder, 'step-000000002'),
      );
      await writer.close();
    }));

  it('writes through the file system that it is given', () =>
    inTemporaryFolder(async (folder) => {
      const fileSystem = failingFileSystem(0, 'ENOSPC');
      const writer = createCheckpointWriter();
      await assert.rejects(writer.write({ ...ownCheckpoint(folder, 1), fileSystem }), {
        code: 'STORAGE',
      });
    }));
});
