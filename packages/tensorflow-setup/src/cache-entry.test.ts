import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureCacheEntry } from './cache-entry.js';
import { digestOfFile, writeDigests } from './digests.js';

describe('ensureCacheEntry', () => {
  let cache: string;
  let folder: string;
  let fills: number;

  beforeEach(async () => {
    cache = join(await mkdtemp(join(tmpdir(), 'tutti-cache-')), 'not', 'there', 'yet');
    folder = join(cache, 'library-1.0');
    fills = 0;
  });
  afterEach(() => rm(join(cache, '..', '..', '..'), { recursive: true }));

  const ensure = (fill: (staging: string) => Promise<void>) =>
    ensureCacheEntry({ folder, fill, report: () => {} });

  async function fill(staging: string) {
    fills++;
    await writeFile(join(staging, 'library'), 'bits');
    await writeDigests(staging, { library: await digestOfFile(join(staging, 'library')) });
  }

  it('fills a folder once for two contenders', async () => {
    await Promise.all([ensure(fill), ensure(fill)]);
    await ensure(fill);
    assert.equal(fills, 1);
    assert.deepEqual(await readdir(cache), ['library-1.0']);
  });

  it('leaves nothing where a fill failed', async () => {
    const broken = async (staging: string) => {
      await fill(staging);
      throw new Error('network gone');
    };
    await assert.rejects(ensure(broken), /network gone/);
    assert.deepEqual(await readdir(cache), []);
  });

  it('refuses to publish what does not match its digests', async () => {
    const wrong = async (staging: string) => {
      await fill(staging);
      await writeFile(join(staging, 'library'), 'other bits');
    };
    await assert.rejects(ensure(wrong), /does not match/);
    assert.deepEqual(await readdir(cache), []);
  });

  it('replaces a folder that was damaged', async () => {
    await ensure(fill);
    await writeFile(join(folder, 'library'), 'bitz');
    await ensure(fill);
    assert.equal(fills, 2);
    assert.equal(await readFile(join(folder, 'library'), 'utf8'), 'bits');
    assert.deepEqual(await readdir(cache), ['library-1.0']);
  });

  it('takes what a robbed holder finished meanwhile', async () => {
    await ensure(async (staging) => {
      await mkdir(folder);
      await fill(folder);
      await writeFile(join(folder, 'first'), '');
      await fill(staging);
    });
    assert.ok((await readdir(folder)).includes('first'));
    assert.deepEqual(await readdir(cache), ['library-1.0']);
  });

  it('removes what a killed process left', async () => {
    await mkdir(`${folder}.part-dead`, { recursive: true });
    await ensure(fill);
    assert.deepEqual(await readdir(cache), ['library-1.0']);
  });
});
