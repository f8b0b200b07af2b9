import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inTemporaryFolder, tutti } from '../testing.js';

const FROZEN = fileURLToPath(new URL('../../fixtures/frozen.ts', import.meta.url));
const LINE = fileURLToPath(new URL('../../fixtures/line.ts', import.meta.url));

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
