import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readSafetensors } from '@tutti/checkpoint';
import { readModel } from '@tutti/edge';
import { bars } from '../../fixtures/bars.js';
import { inTemporaryFolder, LINE, tutti } from '../testing.js';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/${name}.ts`, import.meta.url));
const FROZEN = fixture('frozen');
const BARS = fixture('bars');
const CIRCULANT = fixture('circulant-bars');

describe('tutti export --format', function () {
  this.timeout(300_000);

  // What reads these files has tests in packages/tensorflow.
  it('keras writes one file, graph a model.json; each is told how it is loaded', () =>
    inTemporaryFolder(async (folder) => {
      const trained = await tutti(['train', FROZEN, '--workers', '0', '--checkpoint-dir', folder]);
      assert.equal(trained.code, 0, trained.stderr);
      const output = join(folder, 'served');
      const flags = ['--checkpoint', folder, '--format', 'keras', '--output'];
      const exported = await tutti(['export', FROZEN, ...flags, output]);
      assert.equal(exported.code, 0, exported.stderr);
      const file = join(output, 'model.keras');
      const bytes = await readFile(file);
      assert.ok(exported.stdout.includes(`wrote ${file}: ${bytes.length} bytes`));
      assert.ok(exported.stdout.includes(`keras.saving.load_model('${file}')`));
      assert.equal(bytes.toString('latin1', 0, 2), 'PK');
      for (const name of ['metadata.json', 'config.json', 'model.weights.h5'])
        assert.ok(bytes.includes(name), name);
      const graph = join(folder, 'graph');
      const drawn = [
        'export',
        FROZEN,
        '--checkpoint',
        folder,
        '--format',
        'graph',
        '--output',
        graph,
      ];
      const written = await tutti(drawn);
      assert.equal(written.code, 0, written.stderr);
      assert.ok(
        written.stdout.includes(`tf.loadGraphModel('file://${join(graph, 'model.json')}')`),
      );
      assert.deepEqual((await readdir(graph)).sort(), ['model.json', 'weights.bin']);
      const named = join(folder, 'mine.keras');
      const again = await tutti(['export', FROZEN, ...flags, named, '--json']);
      assert.equal(again.json()[0]!.modelPath, named);
    }));

  it('says of a program without a tf.LayersModel what can be exported', () =>
    inTemporaryFolder(async (folder) => {
      await tutti(['train', LINE, '--workers', '0', '--checkpoint-dir', folder]);
      const ran = await tutti(['export', LINE, '--checkpoint', folder, '--format', 'keras']);
      assert.equal(ran.code, 1);
      assert.match(
        ran.stderr,
        /has no tf.LayersModel to export\n {2}Export its parameters as safe/,
      );
    }));
});

describe('tutti export --format safetensors', function () {
  this.timeout(300_000);

  it('has frozen weights, too, and a run begins with such a file', () =>
    inTemporaryFolder(async (folder) => {
      const before = process.cwd();
      process.chdir(folder);
      try {
        const run = async (...flags: string[]) => {
          const ran = await tutti([...flags, '--json']);
          assert.equal(ran.code, 0, ran.stderr);
          return ran.json().at(-1)!;
        };
        const trained = await run('train', FROZEN, '--workers', '0');
        assert.equal(trained.storedParameters, 4 + 1);
        await run('export', FROZEN, '--format', 'safetensors', '--output', '.');
        const { tensors } = await readSafetensors('model.safetensors');
        assert.deepEqual(
          tensors.map(({ name, shape }) => [name, shape]),
          [
            ['last/kernel/down', [4, 1]],
            ['last/kernel/up', [1, 1]],
            ['first/kernel', [3, 4]],
            ['first/bias', [4]],
            ['last/kernel', [4, 1]],
          ],
        );
        assert.ok(tensors[2]!.values.some((value) => value !== 0));

        // A rate of nothing leaves the weights as they were.
        const still = ['--from', 'model.safetensors', '--learning-rate', '1e-30', '--workers', '0'];
        assert.equal((await run('train', FROZEN, ...still)).digest, trained.digest);
      } finally {
        process.chdir(before);
      }
    }));
});

/** How many of the test examples a file gets right. */
async function accuracyOf(path: string): Promise<number> {
  const { predict } = readModel(await readFile(path));
  const { x, y } = bars(120, 'test');
  const right = y.data.filter((label, at) => {
    const prediction = predict(x.data.subarray(at * 36, (at + 1) * 36));
    return prediction.indexOf(Math.max(...prediction)) === label;
  });
  return right.length / y.data.length;
}

describe('tutti export --format tutti', () => {
  it('writes a file of the accuracy of the checkpoint, in fewer bytes the more it is rounded', () =>
    inTemporaryFolder(async (folder) => {
      const trained = await tutti(['train', BARS, '--workers', '0', '--checkpoint-dir', folder]);
      assert.equal(trained.code, 0, trained.stderr);
      const evaluated = await tutti(['eval', BARS, '--json', '--checkpoint', folder]);
      const { accuracy } = evaluated.json()[0]!.metrics as { accuracy: number };
      assert.ok(accuracy > 0.9);

      const sizes: number[] = [];
      for (const quantize of [[], ['float16'], ['int8'], ['int4']]) {
        const output = join(folder, `${quantize[0] ?? 'exact'}.tutti`);
        const flags = quantize.length > 0 ? ['--quantize', ...quantize] : [];
        const ran = await tutti(
          ['export', BARS, '--json', '--checkpoint', folder, '--format', 'tutti'].concat(
            ['--output', output],
            flags,
          ),
        );
        assert.equal(ran.code, 0, ran.stderr);
        const [{ modelPath, bytes }] = ran.json() as [{ modelPath: string; bytes: number }];
        assert.equal(modelPath, output);
        assert.equal((await readFile(output)).length, bytes);
        sizes.push(bytes);
        const rounded = await accuracyOf(output);
        if (quantize.length === 0) assert.equal(rounded, accuracy);
        assert.ok(rounded > accuracy - (quantize[0] === 'int4' ? 0.05 : 0.02), `${quantize}`);
      }
      // 1,651 kernel values of 4, 2, 1 and 1/2 bytes, 25 biases, and what says what they are.
      const kernels = 6 * 9 + 96 * 16 + 16 * 3;
      for (const [at, bytes] of [4, 2, 1.1, 0.6].entries())
        assert.ok(sizes[at]! < kernels * bytes + 250, `${sizes}`);
    })).timeout(120_000);

  it('shows how a file of computed weights is loaded, and that is how', () =>
    inTemporaryFolder(async (folder) => {
      const of = ['--checkpoint-dir', folder, '--steps', '2', '--workers', '0'];
      const trained = await tutti(['train', CIRCULANT, ...of]);
      assert.equal(trained.code, 0, trained.stderr);
      const output = join(folder, 'model.tutti');
      const command = ['export', CIRCULANT, '--checkpoint', folder, '--format', 'tutti'];
      const { code, stdout, stderr } = await tutti([...command, '--output', output]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /import \{ sharing \} from '@tutti\/edge\/sharing';/);
      const loading = stdout.split('load it:\n')[1]!;
      const script = `import { readFileSync } from 'node:fs';\n${loading}\nconsole.log(model.output);`;
      const ran = await promisify(execFile)(process.execPath, [
        '--input-type=module',
        '-e',
        script,
      ]);
      assert.equal(ran.stdout, '[ 3 ]\n');
    })).timeout(120_000);

  it('refuses to round weights of other files', async () => {
    const { code, stderr } = await tutti(['export', BARS, '--quantize', 'int8']);
    assert.equal(code, 2);
    assert.match(stderr, /quantize int8 does not go with format tfjs/);
  });
});
