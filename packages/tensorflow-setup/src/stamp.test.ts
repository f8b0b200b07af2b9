import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bindingPath } from './paths.js';
import { cacheOf, liesElsewhere, readStamp, writeStamp } from './stamp.js';

describe('the stamp of a finished set-up', () => {
  let folder: string;
  let library: string;
  const found = { tensorflow: '2.21.0', way: 'the wheel', runtimes: ['linux-x64-115'] };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-stamp-'));
    library = join(folder, 'library.so');
    await mkdir(dirname(bindingPath(folder)), { recursive: true });
    await writeFile(bindingPath(folder), 'addon');
    await writeFile(library, 'library');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is read back while the files are as they were', async () => {
    const stamp = await writeStamp(folder, { ...found, files: [library] });
    assert.deepEqual(await readStamp(folder), stamp);
  });

  it('does not hold when a file is cut or gone', async () => {
    await writeStamp(folder, { ...found, files: [library] });
    await truncate(library, 3);
    assert.equal(await readStamp(folder), undefined);
    await rm(library);
    assert.equal(await readStamp(folder), undefined);
  });

  it('does not hold before there is one, nor when it is torn', async () => {
    assert.equal(await readStamp(folder), undefined);
    await writeFile(join(folder, 'lib', 'tutti-native.json'), '{"tenso');
    assert.equal(await readStamp(folder), undefined);
  });
});

describe('the cache of a set-up', () => {
  const library = '/home/a/.cache/tutti/tensorflow-2-linux/tensorflow/libtensorflow_cc.so.2';
  const files = { '/checkout/tfjs_binding.node': 1, [library]: 2 };

  it('is the folder above the entry with the library', () => {
    assert.equal(cacheOf({ files }), '/home/a/.cache/tutti');
    assert.equal(cacheOf({ files: { '/checkout/tfjs_binding.node': 1 } }), undefined);
  });

  it('is another one than was asked for only where one was asked for', () => {
    const asked = (TUTTI_CACHE?: string) => liesElsewhere({ files }, { TUTTI_CACHE });
    assert.deepEqual(
      [asked(), asked(''), asked('/home/a/.cache/tutti/'), asked('/opt/tutti')],
      [false, false, false, true],
    );
    assert.equal(liesElsewhere({ files: {} }, { TUTTI_CACHE: '/opt/tutti' }), false);
  });
});
