import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyFile, readKeyFile } from './key-file.js';

describe('a key file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-'));
  after(() => rmSync(folder, { recursive: true }));
  let files = 0;
  const path = () => join(folder, `${++files}.key`);

  it('has 32 random bytes that only its owner reads', async () => {
    const [one, two] = [path(), path()];
    await createKeyFile(one);
    await createKeyFile(two);
    assert.equal(statSync(one).mode & 0o777, 0o600);
    const key = await readKeyFile(one);
    assert.equal(key.length, 32);
    assert.notDeepEqual(key, await readKeyFile(two));
  });

  it('is not left behind where it could not be written', async function () {
    const disk = path();
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      return this.skip();
    }
    try {
      const [key, filler] = [join(disk, 'job.key'), join(disk, 'filler')];
      writeFileSync(filler, Buffer.alloc(4096));
      await assert.rejects(createKeyFile(key), { code: 'STORAGE', message: /ENOSPC/ });
      rmSync(filler);
      await createKeyFile(key);
      assert.equal((await readKeyFile(key)).length, 32);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it('is never overwritten, also where the way leads to nothing yet', async () => {
    const [there, link] = [path(), path()];
    await createKeyFile(there);
    const before = readFileSync(there);
    await assert.rejects(createKeyFile(there), { code: 'STORAGE', message: /there already/ });
    assert.deepEqual(readFileSync(there), before);
    symlinkSync(path(), link);
    await assert.rejects(createKeyFile(link), { code: 'STORAGE', message: /there already/ });
  });

  for (const [mode, allowed] of [
    [0o600, true],
    [0o400, true],
    [0o440, true],
    [0o640, false],
    [0o604, false],
    [0o444, false],
    [0o660, false],
    [0o602, false],
    [0o777, false],
  ] as const)
    it(`of mode ${mode.toString(8)} is ${allowed ? 'taken' : 'refused'}`, async () => {
      const file = path();
      await createKeyFile(file);
      chmodSync(file, mode);
      if (allowed) assert.equal((await readKeyFile(file)).length, 32);
      else
        await assert.rejects(readKeyFile(file), {
          code: 'BAD_CONFIG',
          message: new RegExp(`mode 0${mode.toString(8)}`),
          remedy: /chmod 600/,
        });
    });

  it('of another length, or that is not there, is refused with what to do', async () => {
    const file = path();
    for (const length of [0, 31, 33, 64]) {
      writeFileSync(file, Buffer.alloc(length), { mode: 0o600 });
      await assert.rejects(readKeyFile(file), {
        code: 'BAD_CONFIG',
        message: new RegExp(`has ${length} bytes`),
        remedy: /tutti keys job\.key/,
      });
    }
    await assert.rejects(readKeyFile(path()), { code: 'BAD_CONFIG', message: /does not exist/ });
    await assert.rejects(readKeyFile(folder), { code: 'BAD_CONFIG' });
  });
});
