import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createProject } from './create-project.js';
import { manifestOf } from './manifest.js';
import { ourPackages } from './our-packages.js';

const workspace = fileURLToPath(new URL('../../..', import.meta.url));
const manifestIn = async (...path: string[]) =>
  JSON.parse(await readFile(join(workspace, ...path, 'package.json'), 'utf8'));

describe('a new project', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'create-tutti-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('has a program, its data, a test, and what it depends on', async () => {
    const path = await createProject(join(folder, 'My Training'));
    assert.deepEqual((await readdir(path)).toSorted(), [
      '.gitignore',
      '.npmrc',
      'README.md',
      'data.ts',
      'package.json',
      'program.test.ts',
      'program.ts',
      'tsconfig.json',
    ]);
    const { name, dependencies } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
    assert.equal(name, 'my-training');
    // It leads to this checkout.
    const link = dependencies['@tutti/cli'].replace('file:', '');
    assert.equal(join(path, link), join(workspace, 'apps', 'cli'));
    assert.ok('@tutti/runtime' in dependencies);
    assert.match(await readFile(join(path, 'README.md'), 'utf8'), /^# my-training\n/);
  });

  it('depends on the version of the package that makes it, where that is installed', async () => {
    const own = join(folder, 'node_modules', 'create-tutti');
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'package.json'), '{ "version": "1.2.3" }');
    const ours = ['cli', 'data', 'launch', 'tensorflow'].map((name) => [
      `@tutti/${name}`,
      '^1.2.3',
    ]);
    assert.deepEqual(await ourPackages(own, folder), Object.fromEntries(ours));
  });

  it('depends on the versions that the workspace tests with', async () => {
    const { dependencies, devDependencies, overrides } = manifestOf('a', {});
    const root = await manifestIn();
    const tensorflow = await manifestIn('packages', 'tensorflow');
    const examples = await manifestIn('examples');
    const wanted = {
      ...root.devDependencies,
      ...examples.dependencies,
      ...tensorflow.devDependencies,
    };
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies }))
      if (!name.startsWith('@tutti/'))
        assert.equal(String(range).replace('^', ''), wanted[name], name);
    assert.deepEqual(overrides, { '@tensorflow/tfjs-node': root.overrides });
  });

  it('takes an empty folder, and no other', async () => {
    await mkdir(join(folder, 'empty'));
    await createProject(join(folder, 'empty'));
    await assert.rejects(createProject(join(folder, 'empty')), /empty: it holds \.gitignore\. Cho/);
    await writeFile(join(folder, 'file'), '');
    await assert.rejects(createProject(join(folder, 'file')), /file lies where a file is\. Choose/);
    await assert.rejects(createProject(join(folder, '---')), /no package of the name "---"\. Cho/);
  });

  it('is told of by the command, with what to type next; a mistake ends with 2', async () => {
    const command = join(workspace, 'apps', 'create-tutti', 'bin', 'create-tutti.mjs');
    const create = (...args: string[]) =>
      promisify(execFile)(process.execPath, [command, ...args], { cwd: folder }).catch(
        (error: { code: number; stderr: string }) => error,
      );
    const { stdout } = (await create('digits')) as { stdout: string };
    assert.match(
      stdout,
      /^digits is ready\. Now:\n\n {2}cd digits\n {2}npm install\n {2}npx tutti train/,
    );
    for (const args of [[], ['a', 'b'], ['--nonsense']]) {
      const failed = (await create(...args)) as { code: number; stderr: string };
      assert.equal(failed.code, 2);
      assert.match(failed.stderr, /^error: [^\n]+\.\n$/);
    }
    const { stderr } = (await create('--nonsense')) as { stderr: string };
    assert.equal(stderr, "error: Unknown option '--nonsense'. See --help.\n");
  });
});
