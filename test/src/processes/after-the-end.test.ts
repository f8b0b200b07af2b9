import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tutti } from './command.js';
import { createFolder, type Folder, regressionWith } from './program-files.js';

/** What a person sees of a command: its lines that are no sentence of the start, and how it ended. */
interface Said {
  readonly code: number | null;
  readonly text: string;
  /** Those of the error, or of how the run began. */
  readonly lines: readonly string[];
}

describe('after the end of a run', function () {
  this.timeout(300_000);
  let folder: Folder;
  let runs: string;
  let path: string;
  let digestOfFirst: string;

  /** Every file of a checkpoint, by its content. */
  async function contents(checkpoint: string): Promise<Record<string, string>> {
    const names = await readdir(checkpoint);
    const sums = names.map(async (name) => {
      const bytes = await readFile(join(checkpoint, name));
      return [name, createHash('sha256').update(bytes).digest('hex')];
    });
    return Object.fromEntries(await Promise.all(sums));
  }

  async function train(...more: string[]): Promise<Said> {
    const { code, stdout, stderr } = await tutti(['train', path, '--workers', '0', ...more]).ended;
    const text = stdout + stderr;
    const all = text.split('\n');
    const at = all.findIndex((line) => /^(error|warning)|has done all|^training/.test(line));
    return { code, text, lines: all.slice(at).filter((line) => line !== '') };
  }

  const change = async (options: string) => {
    path = await folder.program(regressionWith('', options));
  };

  before(async () => {
    folder = await createFolder();
    runs = join(folder.path, 'runs');
    await change('{ shards: 4 }');
    const { code, text } = await train('--checkpoint-dir', runs);
    assert.equal(code, 0, text);
    digestOfFirst = /digest (\w{64})/.exec(text)![1]!;
  });
  beforeEach(() => change('{ shards: 4 }'));
  after(() => folder.remove());

  const last = () => join(runs, 'step-000000014');
  const resume = (...more: string[]) =>
    train('--checkpoint-dir', runs, '--resume', 'latest', ...more);
  const wayOn = () => `--from ${last()} in place of --resume.`;

  it('resume says that nothing is left to train, and what goes on', async () => {
    const { code, text, lines } = await resume();
    assert.equal(code, 0, text);
    assert.equal(
      lines[0],
      `regression has done all of its 14 steps (${last()}): nothing is left to train. ` +
        `To go on, give --epochs 3, or more; to begin a new run with its weights, --from ${last()} in place of --resume`,
    );
    assert.ok(text.includes(digestOfFirst));
    assert.doesNotMatch(text, /NaN|throughput/);
  });

  /** By a flag, or in the program. The message ends so. */
  const others = {
    'another learning rate': [
      ['--learning-rate', '0.1'],
      'it is of another run: the learning rate is 0.05 instead of 0.1 (--learning-rate).',
    ],
    'another batch size': [
      ['--batch-size', '8'],
      'it is of another run: batchSize is 16 instead of 8 (--batch-size).',
    ],
    'another seed': [['--seed', '2'], 'it is of another run: seed is 1 instead of 2 (--seed).'],
    'fewer steps': [['--steps', '5'], 'it is at step 14, but the run is to end after 5.'],
  } as const;
  for (const [what, [flags, reason]] of Object.entries(others))
    it(`${what} on the command line is refused in two lines, and nothing is lost`, async () => {
      const before = await contents(last());
      const { code, lines } = await resume(...flags);
      assert.equal(code, 1);
      assert.equal(lines.length, 2, lines.join('\n'));
      assert.equal(lines[0], `error BAD_CHECKPOINT: ${last()} cannot be used: ${reason}`);
      assert.ok(lines[1]!.endsWith(wayOn()), lines[1]);
      assert.deepEqual(await contents(last()), before);
    });

  const UNFIT = 'the weights of this one do not fit it';
  const changes = {
    'another learning rate': [
      "{ shards: 4, optimizer: { name: 'adam', learningRate: 0.1 } }",
      'the learning rate is 0.1 now, the run has 0.05 (--learning-rate)',
      wayOn,
    ],
    'more epochs': [
      '{ shards: 4, epochs: 5 }',
      '5 epochs are 35 steps, the run has 14 (--epochs, --steps)',
      () => 'make the run longer by --epochs 5.',
    ],
    'other data': [
      '{ shards: 4, examples: 90 }',
      'the training data have 90 examples instead of 103 (data of the program)',
      wayOn,
    ],
    'another batch size': [
      '{ shards: 4, batchSize: 8 }',
      'batchSize is 8 now, the run has 16 (--batch-size)',
      wayOn,
    ],
    'another model': [
      '{ shards: 4, features: 5 }',
      'of the run, "w" is [7], in the program [5] (model or sharing of the program)',
      () => UNFIT,
    ],
    'another seed': ['{ shards: 4, seed: 2 }', 'seed is 2 now, the run has 1 (--seed)', wayOn],
  } as const;
  for (const [what, [options, reason, remedy]] of Object.entries(changes))
    it(`${what} in the program is refused in two lines, and nothing is lost`, async () => {
      const before = await contents(last());
      await change(options);
      const { code, lines } = await resume();
      assert.equal(code, 1);
      assert.equal(lines.length, 2, lines.join('\n'));
      const [error, way] = lines as [string, string];
      assert.ok(error.startsWith(`error BAD_CHECKPOINT: ${last()} cannot be used: the program`));
      assert.ok(error.includes(reason), error);
      assert.ok(way.includes(remedy()), way);
      assert.deepEqual(await contents(last()), before);
    });

  it('what these lines name does it: more epochs go on, --from begins anew', async () => {
    const before = await contents(last());
    const other = ['--learning-rate', '0.1', '--batch-size', '8', '--seed', '2'];
    const begun = await train('--from', last(), '--checkpoint-dir', `${runs}-anew`, ...other);
    assert.equal(begun.code, 0, begun.text);
    assert.match(begun.lines[0]!, /a new run from step 0, with the weights of .*step-000000014/);
    const refused = await train('--checkpoint-dir', runs, '--learning-rate', '0.1');
    assert.equal(refused.code, 1);
    assert.match(refused.text, /error FOLDER_IN_USE: .*the learning rate is 0.05 instead of 0.1/);
    assert.ok(refused.text.includes(`--from ${runs} has it begin with the weights of that one.`));
    assert.deepEqual(await contents(last()), before);
    const longer = await resume('--epochs', '3');
    assert.equal(longer.code, 0, longer.text);
    assert.match(longer.lines[0]!, /^training regression .*: 21 steps .*; on from step 14/);
    assert.deepEqual(await contents(last()), before);
  });
});
