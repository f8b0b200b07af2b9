import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TuttiError } from '@tutti/runtime';
import { nodeFileSystem } from './files.js';
import { readCheckpoint } from './read-checkpoint.js';
import { writeSafetensors } from './safetensors.js';
import { checkpointOf, failingFileSystem, inTemporaryFolder, parameters } from './testing.js';
import { writeCheckpoint } from './write-checkpoint.js';

async function storageErrorOf(task: Promise<unknown>): Promise<TuttiError> {
  try {
    await task;
  } catch (error) {
    assert.ok(error instanceof TuttiError, String(error));
    assert.equal(error.code, 'STORAGE');
    // With another fault it would lead astray.
    const full = error.details.code === 'ENOSPC';
    assert.equal(/ \(\d+ bytes are needed/.test(error.message), full);
    assert.notEqual(error.remedy, '');
    return error;
  }
  return assert.fail('was written');
}

/** A small disk of its own, where the system lets us; false if it does not. */
function mountSmall(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const large = (floats: number) => [
  { name: 'w', shape: [floats], values: new Float32Array(floats).fill(0.5) },
];

describe('saving where it cannot be done', () => {
  it('leaves nothing half-written and the older checkpoint as it was, whatever call fails', () =>
    inTemporaryFolder(async (folder) => {
      await writeCheckpoint(checkpointOf(folder, 1));
      const counting = failingFileSystem(Number.POSITIVE_INFINITY, 'ENOSPC');
      await inTemporaryFolder(async (other) => {
        await writeCheckpoint({ ...checkpointOf(other, 2), fileSystem: counting });
      });
      assert.ok(counting.calls() > 15);
      for (let allowed = 0; allowed < counting.calls(); allowed++) {
        const fileSystem = failingFileSystem(allowed, 'ENOSPC');
        const error = await storageErrorOf(
          writeCheckpoint({ ...checkpointOf(folder, 2), fileSystem }),
        );
        assert.match(error.message, /step-000000002: ENOSPC/);
        assert.equal(typeof error.details.freeBytes, 'number');
        for (const name of await readdir(folder)) {
          assert.ok(!name.startsWith('.tmp'), `${name} remains after ${allowed} calls`);
          if (name.startsWith('step-')) await readCheckpoint(join(folder, name));
        }
        assert.equal((await readCheckpoint(join(folder, 'step-000000001'))).step, 1);
        await readCheckpoint(folder);
      }
    }));

  it('keeps the checkpoint of the same step if the new one cannot take its place', () =>
    inTemporaryFolder(async (folder) => {
      await writeCheckpoint(checkpointOf(folder, 1));
      let renames = 0;
      const rename: typeof nodeFileSystem.rename = async (from, to) => {
        if (++renames === 2) throw Object.assign(new Error('EIO'), { code: 'EIO' });
        return nodeFileSystem.rename(from, to);
      };
      await storageErrorOf(
        writeCheckpoint({ ...checkpointOf(folder, 1), fileSystem: { ...nodeFileSystem, rename } }),
      );
      await readCheckpoint(folder);
      assert.deepEqual((await readdir(folder)).sort(), ['latest', 'step-000000001']);
    }));

  it('says that a full disk is full before filling it further', () =>
    inTemporaryFolder(async (folder) => {
      const statfs = (async () => ({ bavail: 10, bsize: 4096, blocks: 1000 })) as never;
      const error = await storageErrorOf(
        writeCheckpoint({
          ...checkpointOf(folder, 1),
          fileSystem: { ...nodeFileSystem, statfs },
          parameters: large(100_000),
        }),
      );
      assert.match(error.message, /the disk is full \(46\d{4} bytes are needed, 40960 are free\)/);
      assert.match(error.remedy, /Free space/);
      assert.deepEqual(await readdir(folder), []);
    }));

  it('tells a disk that has other bytes than were written', () =>
    inTemporaryFolder(async (folder) => {
      await writeCheckpoint(checkpointOf(folder, 1));
      const open: typeof nodeFileSystem.open = async (...args) => {
        const handle = await nodeFileSystem.open(...args);
        const { write } = handle;
        handle.write = (async (bytes: Uint8Array) => {
          const changed = bytes.slice();
          if (changed.length > 1000) changed[999]! ^= 4;
          return Reflect.apply(write, handle, [changed]);
        }) as typeof write;
        return handle;
      };
      const fileSystem = { ...nodeFileSystem, open };
      for (const task of [
        () => writeCheckpoint({ ...checkpointOf(folder, 2), parameters: large(1000), fileSystem }),
        () => writeSafetensors(join(folder, 'w.safetensors'), large(1000), {}, fileSystem),
      ]) {
        const error = await storageErrorOf(task());
        assert.match(error.message, /has other bytes when it is read back/);
        assert.match(error.remedy, /save somewhere else/);
      }
      assert.deepEqual((await readdir(folder)).sort(), ['latest', 'step-000000001']);
      await readCheckpoint(folder);
    }));

  it('has the disk keep a file, and then its name', () =>
    inTemporaryFolder(async (folder) => {
      const done: string[] = [];
      const open: typeof nodeFileSystem.open = async (path, ...more) => {
        const handle = await nodeFileSystem.open(path, ...more);
        const sync = handle.sync.bind(handle);
        handle.sync = async () => {
          done.push(path === folder ? 'keep the folder' : 'keep the file');
          await sync();
        };
        return handle;
      };
      const rename: typeof nodeFileSystem.rename = async (from, to) => {
        done.push('rename');
        await nodeFileSystem.rename(from, to);
      };
      const fileSystem = { ...nodeFileSystem, open, rename };
      await writeSafetensors(join(folder, 'w.safetensors'), parameters, {}, fileSystem);
      assert.deepEqual(done, ['keep the file', 'rename', 'keep the folder']);
      assert.deepEqual(await readdir(folder), ['w.safetensors']);
    }));

  it('tells the cause, not what comes of it when the file is closed', () =>
    inTemporaryFolder(async (folder) => {
      const fail = (code: string) => async () => {
        throw Object.assign(new Error(code), { code });
      };
      const open: typeof nodeFileSystem.open = async (...args) => {
        const handle = await nodeFileSystem.open(...args);
        const close = handle.close.bind(handle);
        handle.write = fail('ENOSPC') as never;
        handle.close = async () => {
          await close();
          await fail('EBADF')();
        };
        return handle;
      };
      const error = await storageErrorOf(
        writeCheckpoint({ ...checkpointOf(folder, 2), fileSystem: { ...nodeFileSystem, open } }),
      );
      assert.equal(error.details.code, 'ENOSPC');
    }));

  it('tells a path that is a file, or leads through one', () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'file');
      await writeFile(file, 'mine');
      for (const directory of [file, join(file, 'deeper')]) {
        const error = await storageErrorOf(writeCheckpoint(checkpointOf(directory, 1)));
        assert.match(error.remedy, /is a file: name a folder/);
        assert.ok(error.message.includes(directory));
      }
      await storageErrorOf(writeSafetensors(join(file, 'a.safetensors'), parameters));
    }));

  it('holds on a real small disk, full and read-only', function () {
    return inTemporaryFolder(async (folder) => {
      const disk = join(folder, 'disk');
      await mkdir(disk);
      // The cases above cover the same calls with an injected disk.
      if (!mountSmall(disk)) return this.skip();
      try {
        await writeCheckpoint(checkpointOf(disk, 1));
        // Blind to the free space, so that the disk itself refuses in the middle of a file.
        const statfs = (async () => ({ bavail: 0, bsize: 0, blocks: 0 })) as never;
        for (const fileSystem of [nodeFileSystem, { ...nodeFileSystem, statfs }]) {
          const error = await storageErrorOf(
            writeCheckpoint({ ...checkpointOf(disk, 2), parameters: large(100_000), fileSystem }),
          );
          assert.equal(error.details.code, 'ENOSPC');
          assert.deepEqual((await readdir(disk)).sort(), ['latest', 'step-000000001']);
        }
        execFileSync('mount', ['-o', 'remount,ro', disk]);
        const error = await storageErrorOf(writeCheckpoint(checkpointOf(disk, 2)));
        assert.match(error.remedy, /read-only/);
        assert.equal((await readCheckpoint(disk)).step, 1);
      } finally {
        execFileSync('umount', [disk]);
      }
    });
  });
});
