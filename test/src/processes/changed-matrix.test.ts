import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tutti } from './command.js';
import { createFolder, type Folder, resolvePath } from './program-files.js';

/** A program whose sharing matrix stands in a file beside it. */
const SOURCE = `
import { readFileSync } from 'node:fs';
import { arrays } from ${JSON.stringify(resolvePath('@tutti/data'))};
import { defineTraining, shared, tf } from ${JSON.stringify(resolvePath('@tutti/tensorflow'))};

const matrix = JSON.parse(readFileSync(new URL('matrix.json', import.meta.url), 'utf8'));
const set = () => arrays({
  x: { data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)), shape: [8, 3] },
  y: { data: Float32Array.from({ length: 16 }, (_, i) => Math.cos(i)), shape: [8, 2] },
});
export default defineTraining({
  data: () => ({ training: set(), evaluation: set() }),
  model: () => tf.sequential({ layers: [tf.layers.dense({ inputShape: [3], units: 2, name: 'layer' })] }),
  loss: 'meanSquaredError',
  sharing: [shared('layer/kernel', matrix)],
  optimizer: { name: 'sgd', learningRate: 0.1 },
  batchSize: 4,
  epochs: 3,
  seed: 1,
  shards: 1,
});
`;

describe('a sharing matrix in a file', function () {
  // Each command loads TensorFlow.
  this.timeout(480_000);
  let folder: Folder;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(() => folder.remove());

  it('that has changed is refused by whatever reads a checkpoint of the run', async () => {
    const path = await folder.program(SOURCE);
    const matrix = join(folder.path, 'matrix.json');
    const checkpoints = join(folder.path, 'checkpoints');
    const train = (...more: string[]) =>
      tutti([
        ...['train', path, '--workers', '0', '--checkpoint-dir', checkpoints],
        ...['--checkpoint-every', '2', ...more],
      ]).ended;
    const read = (command: string) => tutti([command, path, '--checkpoint', checkpoints]).ended;

    await writeFile(matrix, '[0, 1, 2, 0, 1, 2]');
    assert.equal((await train('--steps', '3')).code, 0);
    await writeFile(matrix, '[2, 1, 0, 0, 1, 2]');
    const refused = await Promise.all([train('--resume', 'latest'), read('eval'), read('export')]);
    for (const { code, stdout, stderr } of [...refused, await read('replay')]) {
      assert.equal(code, 1, stdout + stderr);
      assert.match(stdout + stderr, /the sharing of the weights has changed since/);
    }
    await writeFile(matrix, '[0, 1, 2, 0, 1, 2]');
    assert.equal((await train('--resume', 'latest')).code, 0);
  });
});
