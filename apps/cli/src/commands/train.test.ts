import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '@tutti/checkpoint';
import { inTemporaryFolder, LINE, tutti } from '../testing.js';

const trainArguments = (folder: string, ...more: string[]) => [
  'train',
  LINE,
  '--json',
  '--checkpoint-dir',
  folder,
  ...more,
];

describe('tutti train', () => {
  it('writes JSON lines only: steps, epochs, and last the finished object', () =>
    inTemporaryFolder(async (folder) => {
      const { code, stderr, json } = await tutti(trainArguments(folder, '--workers', '0'));
      assert.equal(code, 0);
      assert.equal(stderr, '');
      const events = json();
      const count = (name: string) => events.filter(({ event }) => event === name).length;
      assert.deepEqual([count('step'), count('epoch'), count('finished')], [6, 2, 1]);
      const last = events.at(-1)!;
      assert.equal(last.event, 'finished');
      assert.equal(last.examples, 192);
      assert.equal(last.storedParameters, 2);
      assert.match(String(last.digest), /^[0-9a-f]{64}$/);
    }));

  it('with servers in the processes of workers gives the digest of one process', () =>
    inTemporaryFolder(async (folder) => {
      const run = async (...more: string[]) => {
        const { code, json, stderr } = await tutti(trainArguments(folder, ...more));
        assert.equal(code, 0, stderr);
        return json();
      };
      const plain = await run('--workers', '0');
      const events = await run('--workers', '2', '--servers', 'colocated');
      assert.equal(events.at(-1)!.digest, plain.at(-1)!.digest);
      const { workers, servers } = events.find(({ event }) => event === 'started')!;
      assert.deepEqual([workers, servers], [2, 2]);
    }));

  it('warns at the start if nothing can be saved where it is to be, and fails at the end', () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'file');
      await writeFile(file, '');
      for (const workers of ['0', '1']) {
        const args = trainArguments(join(file, 'runs'), '--workers', workers);
        const { code, stderr, json } = await tutti(args);
        assert.equal(code, 1);
        const [first, ...rest] = json();
        assert.equal(first!.event, 'warning');
        assert.match(String(first!.message), /file is no folder/);
        const last = rest.at(-1)!;
        assert.deepEqual([last.event, last.code], ['failed', 'STORAGE']);
        assert.ok(rest.every(({ event }) => event !== 'finished'));
        const { modelPath, steps, digest } = last.details as Record<string, unknown>;
        assert.ok(String(last.message).includes(`its model lies in ${modelPath} instead`));
        assert.ok(existsSync(String(modelPath)));
        assert.equal(steps, 6);
        assert.match(String(digest), /^[0-9a-f]{64}$/);
        assert.match(stderr, /could not be saved|Could not save/i);
        // Nobody looks for what was said to be missing.
        assert.doesNotMatch(stderr, /no events of a run/);
        await rm(dirname(String(modelPath)), { recursive: true });
      }
    }));

  it('keeps its events beside its checkpoints, to the last one, also of a failure', () =>
    inTemporaryFolder(async (folder) => {
      const kept = () =>
        readFileSync(join(folder, 'events.jsonl'), 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
      const first = await tutti(trainArguments(folder, '--workers', '2'));
      assert.deepEqual(kept(), first.json());
      // So the page of a run that is over has them too, whoever looked at it before.
      const weights = kept().filter(({ event }) => event === 'weights');
      assert.deepEqual(
        weights.map(({ elements, stored }) => [elements, stored]),
        [[2, 2]],
      );
      const report = () => readFileSync(join(folder, 'report.html'), 'utf8');
      assert.ok(report().includes(String(first.json().at(-1)!.digest)));
      assert.equal(kept().find(({ event }) => event === 'started').folder, folder);
      const stop = new AbortController();
      const onwards = ['--workers', '1', '--resume', 'latest', '--epochs', '5000'];
      const failing = await tutti(trainArguments(folder, ...onwards), {
        signal: stop.signal,
        onText: (text) => text.includes('"step":9,') && stop.abort(),
      });
      assert.equal(failing.json().at(-1)!.event, 'failed');
      assert.deepEqual(kept(), [...first.json(), ...failing.json()]);
      assert.match(report(), /Stopped on /);
    }));

  it('writes for TensorBoard, and says what is wrong with an address of MLflow', () =>
    inTemporaryFolder(async (folder) => {
      const board = ['--workers', '0', '--tensorboard', join(folder, 'board')];
      const { code, json } = await tutti(trainArguments(join(folder, 'run'), ...board));
      assert.equal(code, 0);
      const { job } = json().at(-1)!;
      const [file, ...more] = readdirSync(join(folder, 'board', `line-${String(job).slice(0, 8)}`));
      assert.deepEqual(more, []);
      assert.match(file!, /^events\.out\.tfevents\.\d+\./);
      const wrong = await tutti(trainArguments(folder, '--mlflow', 'localhost:5000'));
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /--mlflow is localhost:5000.*\n.*http:\/\/127\.0\.0\.1:5000/);
    }));

  it('gives the same digest with worker processes, whose number nobody has to name', () =>
    inTemporaryFolder(async (folder) => {
      const digests = [];
      for (const workers of [['--workers', '0'], ['--workers', '3'], []]) {
        const { code, json } = await tutti(trainArguments(folder, ...workers));
        assert.equal(code, 0);
        digests.push(json().at(-1)!.digest);
      }
      assert.equal(new Set(digests).size, 1);
    }));

  it('gives each run a folder of its own, and the commands the one that wrote last', () =>
    inTemporaryFolder(async (folder) => {
      const before = process.cwd();
      process.chdir(folder);
      try {
        const run = async (...args: string[]) => {
          const ran = await tutti([...args, '--json']);
          assert.equal(ran.code, 0, ran.stdout + ran.stderr);
          return ran.json().at(-1)!;
        };
        const often = ['--workers', '0', '--checkpoint-every', '2'];
        const one = await run('train', LINE, ...often, '--seed', '1');
        const two = await run('train', LINE, ...often, '--learning-rate', '0.5');
        assert.notEqual(one.digest, two.digest);
        assert.equal(one.modelPath, join('tutti-runs', 'line', 'run-0001', 'step-000000006'));
        assert.equal(two.modelPath, join('tutti-runs', 'line', 'run-0002', 'step-000000006'));
        assert.equal((await run('eval', LINE)).digest, two.digest);
        assert.equal((await run('replay', LINE)).digest, two.digest);
        const exported = await run('export', LINE, '--format', 'safetensors');
        assert.equal(exported.digest, two.digest);
        const first = ['--checkpoint', String(one.modelPath)];
        assert.equal((await run('eval', LINE, ...first)).digest, one.digest);
        const resumed = ['train', LINE, '--resume', 'latest', '--workers', '0'];
        assert.equal((await run(...resumed)).digest, two.digest);
        assert.equal((await run(...resumed, '--learning-rate', '0.1')).digest, one.digest);
        assert.deepEqual(readdirSync(join('tutti-runs', 'line')).sort(), [
          'latest',
          'run-0001',
          'run-0002',
        ]);
      } finally {
        process.chdir(before);
      }
    }));

  it('begins a new run with the weights of the latest, in a folder of its own', () =>
    inTemporaryFolder(async (folder) => {
      const before = process.cwd();
      process.chdir(folder);
      try {
        const runs = join('tutti-runs', 'line');
        const common = ['train', LINE, '--json', '--workers', '0'];
        const one = (await tutti(common)).json().at(-1)!;
        const path = join(runs, 'run-0001', 'step-000000006');
        const { code, json, stderr } = await tutti([
          ...common,
          '--from',
          'latest',
          '--epochs',
          '3',
        ]);
        assert.equal(code, 0, stderr);
        const started = json().find(({ event }) => event === 'started')!;
        assert.deepEqual([started.from, started.steps], [{ path, digest: one.digest }, 9]);
        const { modelPath, digest } = json().at(-1)!;
        assert.equal(modelPath, join(runs, 'run-0002', 'step-000000009'));
        assert.notEqual(digest, one.digest);

        const both = await tutti([...common, '--from', 'latest', '--resume', 'latest']);
        assert.equal(both.code, 2);
        assert.match(both.stderr, /--from latest does not go with --resume/);
        const other = await tutti([...common, '--from', path, '--resume', path]);
        assert.equal(other.code, 1);
        assert.match(other.stderr, /it began with the initial values .* \(--from\)/);
      } finally {
        process.chdir(before);
      }
    }));

  it('refuses a folder that holds another run, and says in what that differs', () =>
    inTemporaryFolder(async (folder) => {
      const named = trainArguments(folder, '--workers', '0');
      assert.equal((await tutti(named)).code, 0);
      const { code, stderr } = await tutti([...named, '--learning-rate', '0.5']);
      assert.equal(code, 1);
      assert.match(stderr, /holds the checkpoints of another run.*--learning-rate/);
    }));

  it('leaves a checkpoint that eval and export agree with', () =>
    inTemporaryFolder(async (folder) => {
      const trained = (await tutti(trainArguments(folder, '--workers', '0'))).json().at(-1)!;
      const evaluated = await tutti(['eval', LINE, '--json', '--checkpoint', folder]);
      assert.equal(evaluated.code, 0);
      const [result] = evaluated.json();
      assert.equal(result!.loss, trained.loss);
      assert.deepEqual(result!.metrics, trained.metrics);
      assert.equal(result!.digest, trained.digest);

      const exported = await tutti(
        ['export', LINE, '--json', '--checkpoint', folder, '--format', 'safetensors'].concat(
          '--output',
          join(folder, 'out'),
        ),
      );
      assert.equal(exported.code, 0);
      const { tensors } = await readSafetensors(String(exported.json()[0]!.modelPath));
      assert.deepEqual(
        tensors.map(({ name }) => name),
        ['slope', 'offset'],
      );
      const layers = await tutti(['export', LINE, '--checkpoint', folder]);
      assert.equal(layers.code, 1);
      assert.match(layers.stderr, /no tf\.LayersModel[\s\S]*safetensors/);

      await rm(join(folder, 'step-000000006', 'weights.safetensors'));
      const torn = await tutti(['eval', LINE, '--json', '--checkpoint', folder]);
      assert.equal(torn.code, 1);
      assert.equal(torn.json().at(-1)!.code, 'BAD_CHECKPOINT');
    }));

  it('tells a program that cannot be used to scripts and to people, and exits with 1', () =>
    inTemporaryFolder(async (folder) => {
      const program = join(folder, 'broken.ts');
      await writeFile(program, 'export default {\n  batchSize: 3,,\n};\n');
      const { code, stderr, json } = await tutti(['train', program, '--json']);
      assert.equal(code, 1);
      assert.equal(json().at(-1)!.event, 'failed');
      assert.equal(json().at(-1)!.code, 'BAD_PROGRAM');
      assert.match(stderr, /broken\.ts:2:\d+/);
    }));

  it('shows a stack where the program threw, not where it is told what it did wrong', () =>
    inTemporaryFolder(async (folder) => {
      for (const [statement, message, stack] of [
        ["throw new Error('shapes differ')", /threw in gradient\(\).*shapes differ/, true],
        ['return { count: 3 }', /returned count 3 for \d+ examples/, false],
      ] as const) {
        const program = join(folder, `wrong-${stack}.ts`);
        const source = `
          import line from ${JSON.stringify(LINE)};
          const gradient = () => { ${statement}; };
          export default { ...line, open: async () => ({ ...(await line.open()), gradient }) };
        `;
        await writeFile(program, source);
        const { code, stderr } = await tutti(['train', program, '--workers', '0']);
        assert.equal(code, 1);
        assert.match(stderr, message);
        assert.equal(/^ {4}at /m.test(stderr), stack, stderr);
      }
    }));

  it('exits with 130 when it was stopped', () =>
    inTemporaryFolder(async (folder) => {
      const { code, stderr } = await tutti(
        trainArguments(folder, '--workers', '0', '--epochs', '100000'),
        { signal: AbortSignal.abort() },
      );
      assert.equal(code, 130);
      assert.equal(stderr, 'stopped\n');
    }));

  it('ends on Ctrl-C with 130 and leaves no worker behind', function () {
    if (!existsSync('/proc/self/stat')) return this.skip();
    return inTemporaryFolder(async (folder) => {
      const main = fileURLToPath(new URL('../main.ts', import.meta.url));
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', main, ...trainArguments(folder, '--epochs', '10000000')],
        // A group of its own, so that all its processes can be found; the terminal would send
        // SIGINT to all of them too.
        { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
      );
      const closed = once(child, 'close');
      try {
        const lines = createInterface({ input: child.stdout });
        for await (const line of lines) if (JSON.parse(line).event === 'step') break;
        const workers = childrenOf(child.pid!, 'worker-process');
        assert.equal(workers.length, 2);
        process.kill(-child.pid!, 'SIGINT');
        child.stdout.resume();
        const [code] = await closed;
        assert.equal(code, 130);
        for (const pid of workers) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
      } finally {
        try {
          process.kill(-child.pid!, 'SIGKILL');
        } catch {
          // Gone, as it should be.
        }
      }
    });
  });
});

/** The processes that `parent` started whose command line holds `text`. */
function childrenOf(parent: number, text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // After the name, which is in parentheses: state, parent, ...
        const [, ppid] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()!.split(' ');
        return (
          Number(ppid) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}
