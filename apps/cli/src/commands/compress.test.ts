import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModel } from '@tutti/edge';
import { bars } from '../../fixtures/bars.js';
import type { Stage } from '../compress/stage-table.js';
import { inTemporaryFolder, tutti } from '../testing.js';

const BARS = fileURLToPath(new URL('../../fixtures/bars.ts', import.meta.url));

interface Compressed {
  readonly modelPath: string;
  readonly bytes: number;
  readonly accuracy: number;
  readonly stages: readonly Stage[];
}

/** Where the program was trained, once for all tests. */
let origin: string;

async function within(folder: string, task: () => Promise<void>) {
  const before = process.cwd();
  process.chdir(folder);
  try {
    await task();
  } finally {
    process.chdir(before);
  }
}

/** In a folder of its own, with the program trained. */
const trained = (task: () => Promise<void>) =>
  inTemporaryFolder((folder) => {
    cpSync(origin, folder, { recursive: true, preserveTimestamps: true });
    return within(folder, task);
  });

const COMMAND = ['compress', BARS, '--epochs', '2', '--workers', '0'];
const compress = (...flags: string[]) => tutti([...COMMAND, ...flags]);

/** The same, interrupted (Ctrl-C) at a step of a stage, counted from 1. */
function interrupted(at: { stage: number; step: number }, ...flags: string[]) {
  let stop = () => {};
  let stage = 0;
  return tutti([...COMMAND, ...flags, '--json'], {
    onStop: (instead) => {
      stop = () => void instead('SIGINT');
    },
    onText(text) {
      const { event, step } = JSON.parse(text);
      if (event === 'started') stage++;
      if (event === 'step' && stage === at.stage && step === at.step) stop();
    },
  });
}

const compressed = (stdout: Record<string, unknown>[]) =>
  stdout.find(({ event }) => event === 'compressed') as unknown as Compressed;

/** How many of the test examples the file gets right. */
function accuracyOf(path: string): number {
  const { predict } = readModel(readFileSync(path));
  const { x, y } = bars(120, 'test');
  const right = y.data.filter((label, at) => {
    const prediction = predict(x.data.subarray(at * 36, (at + 1) * 36));
    return prediction.indexOf(Math.max(...prediction)) === label;
  });
  return right.length / y.data.length;
}

describe('tutti compress', function () {
  this.timeout(600_000);

  before(async () => {
    origin = mkdtempSync(join(tmpdir(), 'tutti-cli-'));
    await within(origin, async () => {
      const { code, stderr } = await tutti(['train', BARS, '--workers', '0']);
      assert.equal(code, 0, stderr);
    });
  });
  after(() => rmSync(origin, { recursive: true, force: true }));

  it('stores and sends less from stage to stage, and writes what it says', () =>
    trained(async () => {
      const keep = ['--keep', 'conv2d_1=0.5,dense_1=0.1,dense_2=0.5', '--rounds', '1'];
      const flags = [...keep, '--values', '8', '--max-bytes', '600', '--min-accuracy', '0.9'];
      const { code, stderr, json } = await compress('--json', ...flags);
      assert.equal(code, 0, stderr);
      const { modelPath, bytes, accuracy, stages } = compressed(json());
      assert.equal(readFileSync(modelPath).length, bytes);
      assert.equal(accuracyOf(modelPath), accuracy);
      assert.ok(accuracy >= 0.9 && bytes <= 600);

      const kernels = [54, 1536, 48];
      const shares = [0.5, 0.1, 0.5];
      const stored = kernels.reduce((sum, size, at) => sum + Math.floor(size * shares[at]!), 25);
      assert.deepEqual(
        stages.map((each) => [each.stage, each.stored, each.wireBytesPerStep]),
        [
          ['dense', 1663, 8 * 1663],
          ['pruned 1 of 1', stored, 8 * stored],
          ['codebook of 8', 3 * 8 + 25, 8 * (3 * 8 + 25)],
          ['file', 3 * 8 + 25, 8 * (3 * 8 + 25)],
        ],
      );
      const sizes = stages.map((each) => each.bytes);
      assert.deepEqual(
        sizes,
        [...sizes].sort((a, b) => b - a),
      );

      // Each is a run of its own, with its checkpoint, which is that of the digest.
      for (const [at, { digest }] of stages.slice(1, 3).entries()) {
        const finished = json().filter(({ event }) => event === 'finished')[at]!;
        assert.equal(finished.digest, digest);
        assert.ok(existsSync(String(finished.modelPath)));
      }

      // What is left of an interrupted one is taken up, and gives the same bytes.
      const kept = readFileSync(modelPath);
      rmSync(join('tutti-runs', 'bars-compressed'), { recursive: true });
      const broken = await interrupted({ stage: 2, step: 10 }, ...flags);
      assert.equal(broken.code, 130);
      assert.match(broken.stderr, /The same command goes on from here: .*bars-compressed/);
      const again = await compress('--json', ...flags, '--output', 'again.tutti');
      assert.deepEqual(readFileSync('again.tutti'), kept, again.stderr);
      const [finished, begun] = again
        .json()
        .filter(({ event }) => event === 'started')
        .map(({ resumed }) => (resumed as { step: number }).step);
      assert.ok(finished === 30 && begun! >= 10 && begun! < 30, `from ${finished} and ${begun}`);
      assert.deepEqual(compressed(again.json()).stages, stages);
    }));

  it('begins with the weights of a file, too', () =>
    trained(async () => {
      const exported = ['export', BARS, '--format', 'safetensors', '--output', '.'];
      assert.equal((await tutti(exported)).code, 0);
      rmSync('tutti-runs', { recursive: true });
      const flags = ['--keep', 'dense_1=0.5', '--rounds', '1', '--epochs', '1', '--json'];
      const { code, stderr, json } = await compress(...flags, '--from', 'model.safetensors');
      assert.equal(code, 0, stderr);
      assert.ok(compressed(json()).accuracy > 0.8);

      const missing = await compress('--from', 'modell.safetensors');
      assert.match(missing.stderr, /modell\.safetensors/);
    }));

  it('says what was reached where a bound is missed, and exits with 1', () =>
    trained(async () => {
      const flags = ['--keep', 'dense_1=0.5', '--rounds', '1', '--max-bytes', '100'];
      const { code, stdout, stderr } = await compress(...flags);
      assert.equal(code, 1);
      assert.match(stdout, /^ {2}file +\d+ .*%/m);
      const bytes = readFileSync('model.tutti').length;
      assert.match(stderr, new RegExp(`has ${bytes} bytes instead of at most 100`));
    }));

  it('finds by itself what can go', () =>
    trained(async () => {
      const { code, stderr, json } = await compress('--json', '--min-accuracy', '0.95');
      assert.equal(code, 0, stderr);
      const { accuracy, bytes, stages } = compressed(json());
      const pruned = stages.filter(({ stage }) => stage.startsWith('pruned'));
      assert.ok(accuracy >= 0.95 && pruned.length > 1);
      // More than what the centroids alone would have saved.
      assert.ok(bytes < stages[0]!.bytes / 8, `${bytes}`);
    }));

  it('prunes by itself until the file is as small as it may be, and no further', () =>
    trained(async () => {
      const [most, flags] = [700, ['--json', '--min-accuracy', '0.5']];
      const { code, stderr, json } = await compress(...flags, '--max-bytes', String(most));
      assert.equal(code, 0, stderr);
      const { bytes, stages } = compressed(json());
      const rounds = stages.length - 3;
      assert.ok(rounds > 0 && bytes <= most, `${bytes} after ${rounds}`);
      // One round less would not have been enough, and none is enough for any size.
      const larger = await compress(...flags, '--max-bytes', '10000', '--output', 'larger.tutti');
      const { bytes: before, stages: fewer } = compressed(larger.json());
      assert.deepEqual(
        fewer.map(({ stage }) => stage),
        ['dense', 'codebook of 16', 'file'],
      );
      assert.ok(before > most);
    }));

  it('tells of a checkpoint that is not as good as its file is to be', () =>
    trained(async () => {
      const once = ['--workers', '0', '--steps', '1'];
      assert.equal((await tutti(['train', BARS, ...once])).code, 0);
      const flags = ['--keep', 'dense_1=0.5', '--rounds', '1', '--min-accuracy', '0.99'];
      const { code, stderr } = await tutti(['compress', BARS, ...once, ...flags]);
      assert.match(
        stderr,
        /checkpoint itself is \d+\.\d\d %, less than --min-accuracy 0\.99: train/,
      );
      assert.equal(code, 1);
    }));
});
