import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eachTest } from './each-test.js';
import { ONE_LAYER } from './one-layer.js';
import { installPublished, packPublished } from './published.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const SERVICE = `
import { readCheckpoint } from '@tutti/checkpoint';
import { createCoordinator } from '@tutti/coordinator';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { isTuttiError } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import { createZmqTransport } from '@tutti/transport';
import { createWorker, type Program } from '@tutti/worker';
import program from './program.js';

const options: LocalOptions = { workers: 2 };
export async function train(): Promise<Float32Array | undefined> {
  const training = runLocal('program.ts', options);
  for await (const event of training) if (event.event === 'epoch') event.loss.toFixed(2);
  const { values } = await training.result.catch((error: unknown) => {
    throw isTuttiError(error) ? new Error(error.remedy) : error;
  });
  return values['dense_1/kernel'];
}
export const roles = [createCoordinator, createServer, createWorker, createZmqTransport] as const;
export const same: Program = program;
export const read = readCheckpoint;
// @ts-expect-error what only siblings use is not among it
export type Hidden = typeof import('@tutti/launch').loadProgram;
`;

const COMPILER = {
  compilerOptions: {
    ...{ target: 'ES2023', module: 'NodeNext', strict: true, noEmit: true, types: ['node'] },
    // What our declarations import must be there, too.
    skipLibCheck: false,
  },
  files: ['program.ts', 'service.ts'],
};

describe('a project of its own, with packages as they are published', () => {
  const each = eachTest(import.meta.url);

  it('installs them, type checks a program, and trains it', async () => {
    const cwd = join(each.folder.path, 'project');
    await mkdir(cwd);
    const packed = await packPublished(each.folder.path);
    for (const { name, files } of packed) {
      const paths = files.map(({ path }) => path);
      const helper = /\.test\.|(?:^|\/)(?:testing|compliance)\.ts$|tsbuildinfo|fixtures\//;
      assert.deepEqual(
        // What a new project begins with has a test.
        paths.filter((path) => helper.test(path) && !path.startsWith('template/')),
        [],
        name,
      );
      for (const wanted of ['README.md', 'LICENSE']) assert.ok(paths.includes(wanted), name);
      for (const path of paths.filter((each) => /^dist\/.*\.d\.ts$/.test(each)))
        assert.ok(paths.includes(`${path}.map`), `${name}: ${path}`);
    }

    const files = {
      'tsconfig.json': JSON.stringify(COMPILER),
      'program.ts': ONE_LAYER,
      'service.ts': SERVICE,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
    await installPublished(cwd, {}, packed);

    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = await run(tsc, ['-p', '.', '--pretty', 'false'], { cwd }).catch(
      (error: { stdout: string }) => error,
    );
    // The declarations of TensorFlow.js have faults of their own.
    const ours = /^(?:\w+\.ts|node_modules[\\/]@tutti[\\/].*)\(\d+,\d+\): error/;
    assert.deepEqual(
      stdout.split('\n').filter((line) => ours.test(line)),
      [],
    );

    const tutti = join(cwd, 'node_modules', '.bin', 'tutti');
    const env = { ...process.env, TUTTI_TF_BACKEND: 'cpu' };
    const digests = new Set<string>();
    for (const workers of ['0', '2']) {
      const args = ['train', 'program.ts', '--workers', workers, '--json'];
      const trained = await run(tutti, args, { cwd, env });
      const last = JSON.parse(trained.stdout.trimEnd().split('\n').at(-1)!);
      assert.deepEqual([last.event, last.steps], ['finished', 4]);
      digests.add(last.digest);
    }
    assert.equal(digests.size, 1);
  });

  it('is made by `npm create tutti`, and type checks, trains and passes its test', async () => {
    const packed = await packPublished(each.folder.path);
    const { filename } = packed.find(({ name }) => name === 'create-tutti')!;
    const tarball = join(each.folder.path, filename);
    const create = [
      'exec',
      '--yes',
      '--offline',
      '--package',
      tarball,
      '--',
      'create-tutti',
      'digits',
    ];
    const { stdout: next } = await run('npm', create, { cwd: each.folder.path });
    assert.match(next, /cd digits\n {2}npm install\n {2}npx tutti train program\.ts --dashboard\n/);

    const cwd = join(each.folder.path, 'digits');
    const manifest = JSON.parse(await readFile(join(cwd, 'package.json'), 'utf8'));
    await installPublished(cwd, manifest, packed);
    await run('npm', ['run', 'typecheck'], { cwd });
    await run('npm', ['test'], { cwd });
    const readme = await readFile(join(cwd, 'README.md'), 'utf8');
    for (const [shown, args] of [
      ['npx tutti train program.ts --dashboard  ', ['--steps', '30']],
      ['npx tutti eval program.ts  ', []],
      ['npx tutti export program.ts --output model  ', []],
    ] as const) {
      assert.ok(readme.includes(`\n${shown}`), shown);
      await run('npx', [...shown.trim().split(' ').slice(1), ...args], { cwd });
    }
    await access(join(cwd, 'model', 'model.json'));
  });
});
