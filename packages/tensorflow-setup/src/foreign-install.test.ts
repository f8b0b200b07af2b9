import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { foreignInstall, maySetUp, notForThisUser } from './foreign-install.js';
import { bindingPath } from './paths.js';

/** Runs as a user who owns nothing here; the superuser may read and write everything. */
async function asAnotherUser<T>(task: () => Promise<T>): Promise<T> {
  const superuser = process.getuid?.() === 0;
  if (superuser) process.seteuid!(54_321);
  try {
    return await task();
  } finally {
    if (superuser) process.seteuid!(0);
  }
}

describe('TensorFlow that another user has set up', () => {
  let folder = '';
  let tfjsNode = '';
  let home = '';
  beforeEach(async function () {
    if (process.platform === 'win32') return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'tutti-install-'));
    await chmod(folder, 0o755);
    tfjsNode = join(folder, 'tfjs-node');
    home = join(folder, 'home');
    const addon = join(home, 'cache', 'entry', 'tfjs_binding.node');
    await mkdir(dirname(bindingPath(tfjsNode)), { recursive: true });
    await mkdir(dirname(addon), { recursive: true });
    await writeFile(addon, '');
    await symlink(addon, bindingPath(tfjsNode));
  });
  afterEach(async () => {
    await chmod(home, 0o755);
    await chmod(join(tfjsNode, 'lib'), 0o755);
    await rm(folder, { recursive: true, force: true });
  });

  it('in a home folder that is closed is named, with what mends it', async () => {
    await chmod(home, 0);
    const found = await asAnotherUser(() => foreignInstall(tfjsNode));
    assert.ok(found!.reason.includes(`in ${join(home, 'cache')}, where this one may not read`));
    assert.match(found!.remedy, /TUTTI_CACHE=.* npm run setup/);
    await chmod(join(tfjsNode, 'lib'), 0o555);
    // What may be written is asked for the real user, which a superuser stays.
    assert.equal(await asAnotherUser(() => maySetUp(tfjsNode)), process.getuid!() === 0);
    const error = await asAnotherUser(() => notForThisUser(tfjsNode, 'no such file'));
    assert.equal(error.code, 'NO_TENSORFLOW');
    assert.ok(error.message.includes(found!.reason));
    assert.equal(error.remedy, found!.remedy);
  });

  it('in a folder that is open is nothing to name', async () => {
    assert.equal(await asAnotherUser(() => foreignInstall(tfjsNode)), undefined);
    await rm(bindingPath(tfjsNode));
    assert.equal(await asAnotherUser(() => foreignInstall(tfjsNode)), undefined);
  });

  it('is told from what this user may mend', async () => {
    assert.equal(await maySetUp(tfjsNode), true);
    // It will be made.
    assert.equal(await maySetUp(join(folder, 'fresh')), true);
  });
});
