import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readModel } from '@tutti/edge';
import { bars } from '../../fixtures/bars.js';
import { inTemporaryFolder, tutti } from '../testing.js';

const BARS = fileURLToPath(new URL('../../fixtures/bars.ts', import.meta.url));
const CIRCULANT = fileURLToPath(new URL('../../fixtures/circulant-bars.ts', import.meta.url));

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
