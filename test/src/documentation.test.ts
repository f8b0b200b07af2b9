import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tutti } from './processes/command.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string) => readFileSync(join(root, path), 'utf8');

describe('documentation', () => {
  it('names every error code, and no other', () => {
    const codes = text('packages/runtime/src/errors.ts')
      .split('export type ErrorCode =')[1]!
      .matchAll(/'([A-Z_]+)'/g);
    const documented = text('docs/ERRORS.md').matchAll(/^\| `([A-Z_]+)` \|/gm);
    assert.deepEqual(
      [...documented].map(([, code]) => code).sort(),
      [...codes].map(([, code]) => code).sort(),
    );
  });

  for (const file of [
    'README.md',
    'docs/ARCHITECTURE.md',
    'docs/CHECKPOINTS.md',
    'docs/ERRORS.md',
    'docs/BENCHMARKS.md',
  ])
    it(`${file} links to what exists`, () => {
      for (const [, link] of text(file).matchAll(/\]\((?!http)([^)#]+)[^)]*\)/g))
        assert.ok(existsSync(join(root, dirname(file), link!)), link);
    });

  it('the commands of the README exist', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const used = [...text('README.md').matchAll(/npm (?!install)(?:--silent )?(?:run )?([a-z]+)/g)];
    for (const [, script] of used) assert.ok(script! in scripts, `npm ${script}`);
    assert.ok(text('.ci/run').includes('\nnpm test\n'));
  });

  it('the README shows commands that are understood', async () => {
    const shown = [...text('README.md').matchAll(/^(?:npx )?tutti (.+?)(?: +#.*)?$/gm)];
    assert.ok(shown.length > 5);
    for (const [, command] of shown) {
      const { stdout, stderr, code } = await tutti([...command!.split(' '), '--help']).ended;
      assert.equal(code, 0, `tutti ${command}: ${stderr}`);
      for (const [option] of command!.matchAll(/--[a-z-]+/g))
        assert.ok(stdout.includes(`${option} `), `tutti ${command}: ${option}`);
    }
  });

  it('the README shows the program of an example as it is', () => {
    const shown = /```ts\n(import \{ defineTraining[^`]+)```/.exec(text('README.md'))![1]!;
    const example = text('examples/src/mnist-dense.ts');
    assert.equal(shown, example.slice(example.indexOf('import ')));
  });
});
