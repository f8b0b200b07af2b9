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
      ...{ strict: true, skipLibCheck: true, noEmit: true },
    },
  }),
  'package.json': '{ "type": "module" }',
};

describe('the code that READMEs show', function () {
  this.timeout(120_000);

  it('is what the types of the packages allow', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-shown-'));
    try {
      const shown = README_FILES.flatMap((file) => modulesOf(file));
      assert.ok(shown.length >= 9, 'the READMEs show modules');
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      for (const [name, content] of [...Object.entries(AROUND), ...shown])
        await writeFile(join(folder, name), content);
      assert.equal(await typeErrors(folder), '');
    } finally {
      await rm(folder, { recursive: true });
    }
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

function typeErrors(folder: string): Promise<string> {
  const tsc = join(dirname(resolvePath('typescript/package.json')), 'bin', 'tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder], (error, stdout, stderr) =>
      resolve(error === null ? '' : stdout || stderr || error.message),
    );
  });
}
