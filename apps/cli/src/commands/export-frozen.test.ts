import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '@tutti/checkpoint';
import { inTemporaryFolder, tutti } from '../testing.js';

const FROZEN = fileURLToPath(new URL('../../fixtures/frozen.ts', import.meta.url));

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
