import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  arrow,
  createTokenizer,
  csv,
  idx,
  imageFolder,
  jsonLines,
  npy,
  npz,
  parquet,
  text as textData,
  tfrecord,
} from '@tutti/data';
import { loadProgram } from '@tutti/launch/internal';
import type { TuttiError } from '@tutti/runtime';
import { validateOptimizer } from '@tutti/store';
import { exportLayersModel, tf } from '@tutti/tensorflow';
import { command, tutti } from './processes/command.js';
import { createFolder, type Folder, resolvePath } from './processes/program-files.js';
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

  it('names the suites that npm run bench measures, and no other', () => {
    const main = join(root, 'test/dist/benchmarks/main.js');
    const listed = execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
    const suites = [...listed.split('Suites:')[1]!.matchAll(/^ {2}(.+)$/gm)].map(
      ([, name]) => name!,
    );
    const table = text('docs/BENCHMARKS.md').split('\n\n')[2]!;
    const documented = [...table.matchAll(/^\| (.+?) \|/gm)].slice(1).map(([, name]) => name!);
    assert.deepEqual(
      documented.filter((name) => !suites.some((suite) => suite.startsWith(name))),
      [],
    );
    assert.deepEqual(
      suites.filter((suite) => !documented.some((name) => suite.startsWith(name))),
      [],
    );
  });

  for (const file of [
    'README.md',
    'CONTRIBUTING.md',
    'docs/PROGRAMS.md',
    'docs/ARCHITECTURE.md',
    'docs/CHECKPOINTS.md',
    'docs/CLUSTER.md',
    'docs/SHARING.md',
    'docs/ERRORS.md',
    'docs/BENCHMARKS.md',
    'docs/PAPERS.md',
    'docs/TUTTI_FILE.md',
    ...[
      '',
      'docker/',
      'compose/',
      'helm/',
      'kubernetes/',
      'kubeflow/',
      'slurm/',
      'skypilot/',
      'dstack/',
    ].map((folder) => `deploy/${folder}README.md`),
    'docs/SECURITY.md',
  ])
    it(`${file} links to what exists`, () => {
      for (const [, link] of text(file).matchAll(/\]\((?!http)([^)#]+)[^)]*\)/g))
        assert.ok(existsSync(join(root, dirname(file), link!)), link);
    });

  for (const file of ['README.md', 'CONTRIBUTING.md'])
    it(`the commands of ${file} exist`, () => {
      const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
      const shown = /npm (?!install|create)(?:--silent )?(?:run )?([a-z]+)/g;
      for (const [, script] of text(file).matchAll(shown))
        assert.ok(script! in scripts, `npm ${script}`);
      assert.ok(text('.ci/run').includes('\nnpm test\n'));
    });

  it('docs/PAPERS.md has the rows that can be run, and no other', () => {
    const named = (file: string, pattern: RegExp) =>
      [...text(file).matchAll(pattern)].map(([, name]) => name).sort();
    assert.deepEqual(
      named('docs/PAPERS.md', /^\| `([a-z0-9-]+)` \|/gm),
      named('examples/papers/rows.ts', /^ {4}name: '([a-z0-9-]+)',$/gm),
    );
  });

  it('CONTRIBUTING.md names files that exist', () => {
    const named = [...text('CONTRIBUTING.md').matchAll(/`((?:packages|docs|test|apps)\/[^`]+)`/g)];
    assert.ok(named.length > 10);
    for (const [, path] of named) assert.ok(existsSync(join(root, path!)), path);
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
      arrow: () => arrow('a', unknown),
      csv: () => csv('a', unknown),
      jsonLines: () => jsonLines('a', unknown),
      parquet: () => parquet('a', unknown),
      text: () => textData('a', { length: 1, ...unknown }),
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

  it('shows how texts become numbers', () => {
    const [, shown] = /```ts\n(const tokenizer[\s\S]*?)```/.exec(programs)!;
    const make = new Function('createTokenizer', 'texts', `${shown}; return x;`);
    const { data, shape } = make(createTokenizer, ['to be', 'or not to be']);
    assert.deepEqual(shape, [2, 50]);
    assert.deepEqual([...data.subarray(0, 3), ...data.subarray(50, 55)], [3, 2, 0, 5, 4, 3, 2, 0]);
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

  it('shows a program that trains', async () => {
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

  /** The first block of code below a heading, in a folder of its own. */
  async function inFolder(heading: string, task: (shown: string, folder: Folder) => Promise<void>) {
    const [, shown] = /```ts\n([^`]*(?:`[^`]+`[^`]*)*?)```/.exec(programs.split(heading)[1]!)!;
    const folder = await createFolder();
    try {
      await task(shown!, folder);
    } finally {
      await folder.remove();
    }
  }

  const imports = (names: string, from: string) =>
    `import { ${names} } from ${JSON.stringify(resolvePath(from))};\n`;
  /** What a program needs besides; examples of class 0 weigh nothing, the others 2. */
  const rest = (options: string) => `
    const n = 12;
    const of = (each, shape, type) => ({ data: type.from({ length: n * (shape[0] ?? 1) }, each), shape: [n, ...shape] });
    const data = () => ({
      training: arrays({
        x: of((_, i) => Math.sin(i), [4], Float32Array),
        y: of((_, i) => i % 3, [], Int32Array),
        weight: of((_, i) => (i % 3 === 0 ? 0 : 2), [], Float32Array),
      }),
    });
    export default defineTraining({
      data,
      optimizer: { name: 'sgd', learningRate: 0.5 },
      batchSize: n, epochs: 4, seed: 1,
      ${options}
    });`;

  it('shows how data are parted', () =>
    inFolder('To draw a test set', async (shown, folder) => {
      const lines = shown.trim().split('\n');
      assert.equal(lines.length, 3);
      const calls = lines.map((line) => line.replace(/;.*/, ''));
      const program = await folder.program(
        imports('defineTraining, tf', '@tutti/tensorflow') +
          imports('arrays, folds, shuffle, split', '@tutti/data') +
          rest(`loss: 'sparseCategoricalCrossentropy', batchSize: 3, model: () => tf.sequential({
            layers: [tf.layers.dense({ units: 3, activation: 'softmax', inputShape: [4] })] }),
            async data() {
              const { training: data } = whole();
              const [halves, five, other] = await Promise.all([${calls.join(', ')}]);
              if (five.length !== 5 || other.size !== data.size) throw new Error('not as shown');
              return halves;
            },`)
            .replace('const data =', 'const whole =')
            .replace('      data,\n', ''),
      );
      const { plan } = await runLocal(program, { workers: 0 }).result;
      assert.deepEqual([plan.trainingExamples, plan.evaluationExamples], [10, 2]);
    }));

  it('shows a model that is a function', () =>
    inFolder('## The model', async (shown, folder) => {
      const program = await folder.program(
        imports('defineTraining, tf', '@tutti/tensorflow') +
          imports('arrays', '@tutti/data') +
          rest(`${shown} loss: 'meanSquaredError'`),
      );
      const { values } = await runLocal(program, { workers: 1 }).result;
      assert.deepEqual(Object.keys(values), ['kernel', 'bias']);
    }));

  it('shows what a service does with what it trained', () =>
    inFolder('## The result', async (shown, folder) => {
      await folder.program('{ "type": "module" }', 'package.json');
      await folder.program(
        imports('defineTraining, tf', '@tutti/tensorflow') +
          imports('arrays', '@tutti/data') +
          rest(`loss: 'meanSquaredError', shards: 2, model: () => tf.sequential({
            layers: [tf.layers.dense({ units: 1, inputShape: [4], name: 'only' })] })`),
      );
      const service = await folder.program(
        imports('runLocal', '@tutti/launch') +
          imports('exportLayersModel, tf', '@tutti/tensorflow') +
          shown +
          "console.log(model.layers.map(({ name }) => name).join() + ' ' + Object.keys(values));",
        'service.ts',
      );
      const tsx = pathToFileURL(resolvePath('tsx')).href;
      const { stdout, stderr, code } = await command(
        [process.execPath, '--import', tsx, service],
        'service',
        folder.path,
      ).ended;
      assert.equal(code, 0, stderr);
      assert.equal(stdout.trim(), 'only only/kernel,only/bias');
    }));

  it('shows how layers of a loaded model are trained with others', () =>
    inFolder('### Layers of a loaded model', async (shown, folder) => {
      const base = tf.sequential({
        layers: [
          tf.layers.dense({ inputShape: [4], units: 5, activation: 'tanh', name: 'features' }),
          tf.layers.dense({ units: 7, name: 'old' }),
        ],
      });
      await base.save(`file://${folder.path}/base`);
      const program = await folder.program(
        imports('defineTraining, tf', '@tutti/tensorflow') +
          imports('arrays', '@tutti/data') +
          shown.replace('file://base', `file://${folder.path}/base`) +
          rest("model, loss: 'sparseCategoricalCrossentropy'"),
      );
      const { values } = await runLocal(program, { workers: 1 }).result;
      // The loaded ones are frozen, so no server has them.
      const loadedOnes = ['features/kernel', 'features/bias'];
      assert.deepEqual(Object.keys(values), ['head/kernel', 'head/bias', ...loadedOnes]);
      const loaded = await loadProgram(program);
      const path = await exportLayersModel(loaded.program, values, join(folder.path, 'served'));
      const served = await tf.loadLayersModel(`file://${path}`);
      const kernelOf = (model: tf.LayersModel, layer: string) =>
        model.getLayer(layer).getWeights()[0]!.dataSync();
      assert.deepEqual(kernelOf(served, 'head'), values['head/kernel']);
      assert.deepEqual(kernelOf(served, 'features'), kernelOf(base, 'features'));
    }));

  it('shows a model with several inputs and outputs', () =>
    inFolder('### Several inputs and outputs', async (shown, folder) => {
      const field = (name: string, type: string, width: number, below: number) =>
        `const ${name} = { data: ${type}.from({ length: ${width} * 24 }, (_, i) => (i * 7) % ${below}), shape: [24${width > 1 ? `, ${width}` : ''}] };\n`;
      const program = await folder.program(
        imports('defineTraining, tf', '@tutti/tensorflow') +
          imports('arrays', '@tutti/data') +
          field('text', 'Int32Array', 20, 50) +
          field('price', 'Float32Array', 1, 5).replace('[24]', '[24, 1]') +
          field('topic', 'Int32Array', 1, 4) +
          field('urgent', 'Int32Array', 1, 2) +
          shown,
      );
      const { metrics, digest } = await runLocal(program, { workers: 2 }).result;
      const names = ['topic_loss', 'urgent_loss', 'topic_accuracy', 'urgent_auc', 'urgent_recall'];
      assert.deepEqual(Object.keys(metrics).sort(), names.sort());
      assert.equal((await runLocal(program, { workers: 0 }).result).digest, digest);
    }));

  it('shows a loss with weights of classes and examples', () =>
    inFolder('### Losses of your own', async (shown, folder) => {
      const zeros = "kernelInitializer: 'zeros'";
      const program = await folder.program(
        imports('defineTraining, tf', '@tutti/tensorflow') +
          imports('arrays', '@tutti/data') +
          shown +
          rest(`loss, model: () => tf.sequential({ layers: [tf.layers.dense({
            units: 3, activation: 'softmax', inputShape: [4], ${zeros} })] })`),
      );
      const losses: number[] = [];
      const run = runLocal(program, {
        workers: 1,
        onEvent: (event) => event.event === 'epoch' && losses.push(event.loss),
      });
      await run.result;
      // Three classes alike: log 3 each, times 0, 2 and 5 times 2.
      assert.ok(Math.abs(losses[0]! - (Math.log(3) * (0 + 2 + 10)) / 3) < 1e-5, String(losses));
    }));

  it('shows how a run is stopped early', () =>
    inFolder('## Stopping early, and smaller steps', async (shown, folder) => {
      const program = await folder.program(
        imports('defineTraining, tf', '@tutti/tensorflow') +
          imports('arrays', '@tutti/data') +
          `const x = { data: Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)), shape: [24, 2] };
          const y = { data: Int32Array.from({ length: 24 }, (_, i) => i % 2), shape: [24] };
          const data = () => ({ training: arrays({ x, y }), evaluation: arrays({ x, y }) });
          const model = () => tf.sequential({ layers: [tf.layers.dense({ units: 2, activation: 'softmax', inputShape: [2] })] });` +
          shown,
      );
      const seen: string[] = [];
      const run = runLocal(program, {
        workers: 1,
        onEvent: ({ event }) => seen.push(event),
      });
      const { steps, digest } = await run.result;
      assert.ok(steps < 300, `it is stopped after ${steps} of 300 steps`);
      assert.ok(seen.includes('early-stop'));
      assert.equal((await runLocal(program, { workers: 0 }).result).digest, digest);
    }));
});
