import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureFolder } from './ensure-folder.js';

describe('a folder', () => {
  let base: string;
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'tutti-test-'));
  });
  afterEach(() => rm(base, { recursive: true }));

  it('is made with those above it, by several at once, and may be there', async () => {
    const path = join(base, 'a', 'b', 'c');
    await Promise.all([ensureFolder(path), ensureFolder(path)]);
    assert.ok(existsSync(path));
    await ensureFolder(path);
  });

  it('is refused where a file is in its place, or above it', async () => {
    const file = join(base, 'file');
    await writeFile(file, '');
    await assert.rejects(ensureFolder(file), { code: 'EEXIST' });
    await assert.rejects(ensureFolder(join(file, 'a')), { code: 'ENOTDIR' });
  });

  it('that no call can make is given up', async () => {
    const calls: string[] = [];
    const mkdir = async (path: string) => {
      calls.push(path);
      throw Object.assign(new Error('no such file or directory'), { code: 'ENOENT' });
    };
    await assert.rejects(ensureFolder(join(base, 'a', 'b'), mkdir), { code: 'ENOENT' });
    assert.deepEqual(calls, [join(base, 'a')]);
  });
});
