import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolvePath } from './processes/program-files.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

const README_FILES = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
].filter((file) => existsSync(join(root, file)));

/** What the code takes for granted. */
const AROUND = {
  'program.ts': `import type { Program } from '@tutti/worker';
declare const program: Program;
export default program;
`,
  'globals.d.ts': `declare const signal: AbortSignal;
declare function log(...values: unknown[]): void;
`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      ...{ target: 'ES2023', module: 'NodeNext', types: ['node'] },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: true, noEmit: true },
    },
  }),
  'package.json': '{ "type": "module" }',
};

/** What a service passes on that it was not given itself. */
const NOT_GIVEN = `
import { askStatus, createCoordinator } from '@tutti/coordinator';
import { csv } from '@tutti/data';
import { readModel } from '@tutti/edge';
import { runLocal } from '@tutti/launch';
import { createServer } from '@tutti/server';
import { defineTraining, hashed, lowRank, type TrainingOptions, tie } from '@tutti/tensorflow';
import { createZmqTransport } from '@tutti/transport';
import { createWorker } from '@tutti/worker';
import program from './program.js';

const none = undefined;
const watched = { signal: none, onEvent: none, settings: none, clock: none, kernels: none };
const kept = { checkpoints: none, resume: none, beginAgain: none, interrupt: none };
const own = { ...kept, settings: { workers: 1 }, newId: none, workerObserver: none };
const linked = { ...watched, timeline: none, transport: createZmqTransport() };
export const given = (options: TrainingOptions, bytes: Uint8Array) => [
  defineTraining({ ...options, shards: none, sharing: none, metrics: none, earlyStopping: none }),
  hashed('hidden/kernel', { stored: 9, ratio: none, seed: none, block: none, from: none }),
  lowRank('hidden/kernel', { rank: 4, from: none }),
  tie('a/kernel', 'b/kernel', { transpose: none }),
  createZmqTransport({ key: none, sharedMemory: none, clock: none }),
  readModel(bytes, { maxValues: none, sharing: none }),
  csv('rows.csv', { label: none, header: none }),
  runLocal(program, { signal: none, interrupt: none, onEvent: none, onLine: none, workers: none }),
  createWorker({ ...linked, coordinator: '', program, programHash: none, name: none, host: none }),
  createServer({ ...linked, address: '', alsoListen: none }),
  createCoordinator({ ...linked, address: '', servers: [], ...own }),
  askStatus({ address: '', transport: linked.transport, signal: none, deadlineMs: none, clock: none }),
];
`;

describe('the types of the packages', function () {
  this.timeout(120_000);

  it('allow the code that READMEs show', async () => {
    const shown = README_FILES.flatMap((file) => modulesOf(file));
    assert.ok(shown.length >= 9, 'the READMEs show modules');
    assert.equal(await typeErrors(shown), '');
  });

  it('take undefined for an option that is not given', async () => {
    assert.equal(await typeErrors([['not-given.ts', NOT_GIVEN]]), '');
  });
});

/** A module for each block that imports something; another test runs the one that imports a data set. */
function modulesOf(file: string): [name: string, content: string][] {
  const blocks = readFileSync(join(root, file), 'utf8').matchAll(/^```ts\n(.*?)^```/gms);
  return [...blocks]
    .map(([, code]) => code!)
    .filter((code) => code.startsWith('import ') && !code.includes("'./datasets/"))
    .map((code, at) => [`${file.replaceAll('/', '-')}-${at}.ts`, `${code}export {};\n`]);
}

async function typeErrors(modules: readonly [name: string, content: string][]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-shown-'));
  try {
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [name, content] of [...Object.entries(AROUND), ...modules])
      await writeFile(join(folder, name), content);
    const tsc = join(dirname(resolvePath('typescript/package.json')), 'bin', 'tsc');
    return await new Promise((resolve) => {
      execFile(process.execPath, [tsc, '-p', folder], (error, stdout, stderr) =>
        resolve(error === null ? '' : stdout || stderr || error.message),
      );
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
