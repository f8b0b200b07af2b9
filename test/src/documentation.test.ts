import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { csv, idx, imageFolder, npy, npz, tfrecord } from '@tutti/data';
import type { TuttiError } from '@tutti/runtime';
import { validateOptimizer } from '@tutti/store';
import { tutti } from './processes/command.js';
import { resolvePath } from './processes/program-files.js';
import { runLocal } from './processes/run-local.js';

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
    'docs/PROGRAMS.md',
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

  const programs = text('docs/PROGRAMS.md');
  const quoted = (line: string) => [...line.matchAll(/`(\w+)`/g)].map(([, word]) => word!);

  it('lists every option of every reader of data, and no other', async () => {
    const unknown = { unknown: true } as object;
    const image = { width: 1, height: 1, channels: 1 } as const;
    for (const [name, open] of Object.entries({
      csv: () => csv('a', unknown),
      imageFolder: () => imageFolder('a', { ...image, ...unknown }),
      npy: () => npy({ x: 'a' }, unknown),
      npz: () => npz('a', unknown),
      idx: () => idx({ x: 'a' }, unknown),
      tfrecord: () => tfrecord('a', {}, unknown),
    })) {
      const [, options] = new RegExp(`^\\| \`${name}\\(.*\\| ([^|]+) \\|$`, 'm').exec(programs)!;
      await assert.rejects(open, ({ details }: TuttiError) => {
        assert.deepEqual(quoted(options!).sort(), [...(details.known as string[])].sort());
        return true;
      });
    }
  });

  it('lists every word for a missing value of a CSV file, and no other', async () => {
    const [, list] = /without a value is empty or says ([\s\S]+?)\. It is an error/.exec(programs)!;
    const words = [...list!.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
    const folder = await mkdtemp(join(tmpdir(), 'tutti-documentation-'));
    const file = join(folder, 'a.csv');
    const read = async (word: string) => {
      await writeFile(file, `a,b\n1,${word}\n`);
      return (await (await csv(file, { missing: { b: 7 } })).read([0])).x!.data[1];
    };
    try {
      for (const word of [...words, '']) assert.equal(await read(word), 7);
      assert.equal(words.length, 19);
      for (const word of ['na', 'NONE', '-', 'missing']) await assert.rejects(read(word));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('lists every optimizer, and what all of them know', () => {
    const [name] = /^\| `optimizer.name` .*$/m.exec(programs)!;
    const [besides] = /^\| `optimizer` besides .*$/m.exec(programs)!;
    const allowed = (spec: object) =>
      validateOptimizer(spec)[0]!.split('allowed: ')[1]!.split(', ');
    assert.deepEqual(quoted(name), allowed({ name: 'none' }));
    const known = allowed({ name: 'sgd', learningRate: 1, unknown: 1 });
    for (const key of known.filter((each) => each !== 'name'))
      assert.match(besides, new RegExp(key));
    assert.deepEqual(
      validateOptimizer({ name: 'sgd', learningRate: 1, schedule: { kind: 'none' } })[0]!
        .split('allowed: ')[1]!
        .split(', ')
        .filter((kind) => !quoted(besides).includes(kind)),
      [],
    );
  });

  it('shows a program that trains', async function () {
    this.timeout(60_000);
    const folder = await mkdtemp(join(tmpdir(), 'tutti-documentation-'));
    try {
      const [, shown] = /```ts\n(import [^`]+)```/.exec(programs)!;
      await writeFile(
        join(folder, 'program.ts'),
        shown!
          .replace('flats.csv', join(folder, 'flats.csv'))
          .replaceAll(/'(@tutti\/\w+)'/g, (_, name) => JSON.stringify(resolvePath(name))),
      );
      const rows = Array.from(
        { length: 48 },
        (_, i) => `${i},${i % 2 ? 'Bern' : 'Basel'},${i % 7 || ''},${9 * i}`,
      );
      await writeFile(join(folder, 'flats.csv'), ['area,city,rooms,rent', ...rows].join('\n'));
      const { steps } = await runLocal(join(folder, 'program.ts'), { workers: 1 }).result;
      assert.equal(steps, 25);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
