import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { addonEntry, addonOrigin } from './addon-entry.js';
import { bindingPath } from './paths.js';

describe('the addon in place', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-addon-'));
    await mkdir(dirname(bindingPath(folder)), { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  for (const [entry, origin] of [
    [addonEntry('tensorflow-2.21.0-linux-x64'), 'own'],
    ['tfjs-node-4.22.0-tensorflow-2.21.0-linux-x64', 'outdated'],
    ['elsewhere', 'foreign'],
  ] as const)
    it(`is ${origin} as a link into ${entry}`, async () => {
      await symlink(join('/cache', entry, 'tfjs_binding.node'), bindingPath(folder));
      assert.equal(addonOrigin(folder), origin);
    });

  it('is foreign as a file of its own, or where there is none', async () => {
    assert.equal(addonOrigin(folder), 'foreign');
    await writeFile(bindingPath(folder), 'downloaded');
    assert.equal(addonOrigin(folder), 'foreign');
  });
});
