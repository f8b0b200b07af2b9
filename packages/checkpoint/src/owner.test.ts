import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { claimFolder } from './owner.js';
import { inTemporaryFolder } from './testing.js';

describe('the claim of a folder', () => {
  const left = '{"job":"j0","host":"another","pid":1}\n';

  it('takes over what a process that is gone has left, and leaves nothing', () =>
    inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'owner.json'), left);
      const claim = await claimFolder(folder, 'j1');
      await assert.rejects(claimFolder(folder, 'j2'), { code: 'FOLDER_IN_USE' });
      await claim.release();
      assert.deepEqual(await readdir(folder), []);
    }));

  it('fails where what was left cannot be taken away', function () {
    return inTemporaryFolder(async (folder) => {
      const owner = join(folder, 'owner.json');
      await writeFile(owner, left);
      try {
        execFileSync('mount', ['--bind', owner, owner], { stdio: 'ignore' });
      } catch {
        return this.skip();
      }
      try {
        await assert.rejects(claimFolder(folder, 'j1'), { code: 'EBUSY' });
      } finally {
        execFileSync('umount', [owner]);
      }
      assert.deepEqual(await readdir(folder), ['owner.json']);
    });
  });
});
