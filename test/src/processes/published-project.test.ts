import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eachTest } from './each-test.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const PROGRAM = `
import { arrays } from '@tutti/data';
import { defineTraining, tf } from '@tutti/tensorflow';

const data = Float32Array.from({ length: 64 }, (_, at) => Math.sin(at));
const training = arrays({
  x: { data, shape: [16, 4] },
  y: { data: data.slice(0, 16), shape: [16] },
});

export default defineTraining({
  data: () => ({ training }),
  model: () => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] }),
  loss: 'meanSquaredError',
  optimizer: { name: 'adam', learningRate: 0.01 },
  batchSize: 8,
  epochs: 2,
  shards: 2,
  seed: 1,
});
`;

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

interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly integrity: string;
  readonly files: readonly { readonly path: string }[];
}

type Manifest = Readonly<Record<string, unknown>> & { readonly private?: boolean };
const manifestOf = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));

async function publishedFolders(): Promise<string[]> {
  const names = await readdir(join(root, 'packages'));
  const folders = [...names.map((name) => `packages/${name}`), 'apps/cli'];
  const manifests = await Promise.all(folders.map(manifestOf));
  return folders.filter((_, at) => manifests[at]!.private !== true);
}

async function pack(folders: readonly string[], into: string): Promise<readonly Packed[]> {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', into];
  const { stdout } = await run('npm', [...args, ...folders.map((folder) => `./${folder}`)], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
  return Object.values(JSON.parse(stdout));
}

/**
 * A lock that asks for the tarballs, and for what others publish in the versions of the checkout: so
 * npm needs no network after the checkout has, and takes away what no package asks for.
 */
async function lockOf(
  manifest: object,
  packed: readonly Packed[],
  folders: readonly string[],
): Promise<object> {
  const { packages: installed } = JSON.parse(
    await readFile(join(root, 'package-lock.json'), 'utf8'),
  ) as { packages: Record<string, { link?: boolean; dev?: boolean }> };
  const packages: Record<string, unknown> = { '': manifest };
  for (const [path, entry] of Object.entries(installed))
    if (path.includes('node_modules/') && !entry.link && !LINKED.test(path))
      packages[path.replace(/^(?:packages|apps)\//, 'node_modules/@tutti/')] = entry;
  for (const [at, { name, filename, integrity }] of packed.entries()) {
    const { version, dependencies, peerDependencies, peerDependenciesMeta, bin } = await manifestOf(
      folders[at]!,
    );
    const asked = { version, dependencies, peerDependencies, peerDependenciesMeta, bin };
    packages[`node_modules/${name}`] = { ...asked, resolved: `file:../${filename}`, integrity };
  }
  return { name: 'own', lockfileVersion: 3, requires: true, packages };
}

/** Large, and the user's own: linked, as a copy would take most of a minute. */
const LINKED = /^node_modules\/(?:@tensorflow\/|@types\/node$)/;

describe('a project of its own, with packages as they are published', () => {
  const each = eachTest(import.meta.url);

  it('installs them, type checks a program, and trains it', async () => {
    const cwd = join(each.folder.path, 'project');
    await mkdir(cwd);
    const folders = await publishedFolders();
    const packed = await pack(folders, each.folder.path);
    for (const { name, files } of packed) {
      const paths = files.map(({ path }) => path);
      const helper = /\.test\.|(?:^|\/)(?:testing|compliance)\.ts$|tsbuildinfo|fixtures\//;
      assert.deepEqual(
        paths.filter((path) => helper.test(path)),
        [],
        name,
      );
      for (const wanted of ['README.md', 'LICENSE']) assert.ok(paths.includes(wanted), name);
      for (const path of paths.filter((each) => /^dist\/.*\.d\.ts$/.test(each)))
        assert.ok(paths.includes(`${path}.map`), `${name}: ${path}`);
    }

    const { overrides } = await manifestOf('.');
    const dependencies = Object.fromEntries([
      ...packed.map(({ name, filename }) => [name, `file:../${filename}`]),
      ...['@tensorflow/tfjs-node', '@types/node'].map((name) => [
        name,
        `file:${join(root, 'node_modules', name)}`,
      ]),
    ]);
    const manifest = { name: 'own', private: true, type: 'module', dependencies, overrides };
    const lock = await lockOf(manifest, packed, folders);
    const files = {
      'package.json': JSON.stringify(manifest),
      'package-lock.json': JSON.stringify(lock),
      'tsconfig.json': JSON.stringify(COMPILER),
      'program.ts': PROGRAM,
      'service.ts': SERVICE,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
    const install = ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', install, { cwd });

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
});
