import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OVERRIDES, oldDependencies, overridesBlock } from './old-dependencies.js';

describe('what tfjs-node brings', () => {
  let project = '';
  let tfjsNode = '';
  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'tutti-old-'));
    tfjsNode = await install(
      'node_modules/@tensorflow/tfjs-node',
      '4.22.0',
      Object.keys(OVERRIDES).join(' '),
    );
  });
  afterEach(() => rm(project, { recursive: true }));

  async function install(path: string, version: string, asksFor = ''): Promise<string> {
    const folder = join(project, path);
    const names = asksFor.split(' ').filter(Boolean);
    const dependencies = Object.fromEntries(names.map((name) => [name, '*']));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ version, dependencies }));
    return folder;
  }

  it('is named where it is older, also where only what it brings brings it', async () => {
    await install('node_modules/@mapbox/node-pre-gyp', '1.0.9', 'tar');
    await install('node_modules/@mapbox/node-pre-gyp/node_modules/tar', '6.2.1');
    await install('node_modules/@tensorflow/tfjs-node/node_modules/tar', '7.5.9');
    await install('node_modules/adm-zip', '0.10.0');
    // The project itself uses it, tfjs-node does not.
    await install('node_modules/tar', '4.0.0');
    const found = await oldDependencies(tfjsNode);
    assert.deepEqual(found.map(({ name, version }) => `${name} ${version}`).sort(), [
      '@mapbox/node-pre-gyp 1.0.9',
      'tar 6.2.1',
      'tar 7.5.9',
    ]);
  });

  it('is fine at the versions of the overrides, and where it is not installed', async () => {
    assert.deepEqual(await oldDependencies(tfjsNode), []);
    for (const [name, version] of Object.entries(OVERRIDES))
      await install(`node_modules/${name}`, version);
    assert.deepEqual(await oldDependencies(tfjsNode), []);
  });

  it('is replaced in the checkout as its users are told to', async () => {
    assert.deepEqual(await oldDependencies(), []);
    const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
    assert.deepEqual(JSON.parse(await read('../../../package.json')).overrides, OVERRIDES);
    for (const readme of ['../../../README.md', '../../tensorflow/README.md'])
      assert.ok((await read(readme)).includes(overridesBlock()), readme);
  });
});
