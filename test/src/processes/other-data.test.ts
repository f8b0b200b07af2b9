import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '@tutti/checkpoint';
import { tutti } from './command.js';
import { eachTest } from './each-test.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const each = eachTest(import.meta.url);

/** A regression whose training data are read in an order that `order` makes of [0, 1, ...]. */
const inOrder = (order: string) =>
  `${regressionWith('', '{ shards: 4 }').replace('export default', 'const straight =')}
export default {
  ...straight,
  async data() {
    const { training, evaluation } = await straight.data();
    const indices = Array.from({ length: training.size }, (_, i) => i);
    const order = ${order};
    const read = (wanted) => training.read(Array.from(wanted, (i) => order[i]));
    return { training: { ...training, read }, evaluation };
  },
};
`;

/** As tutorials write it: another order in every process. */
const SHUFFLED_ANEW =
  'indices.map((i) => [Math.random(), i]).sort(([a], [b]) => a - b).map(([, i]) => i)';

describe('data that are shuffled anew in every process', () => {
  it('are refused before a step is made: the run ends with what differs and what to do', async () => {
    const path = await each.folder.program(inOrder(SHUFFLED_ANEW));
    const { code, stdout, stderr } = await tutti(['train', path, '--workers', '2']).ended;
    const said = stdout + stderr;
    assert.equal(code, 1);
    assert.match(said, /training data of worker w[01] are not those of the job: other values in/);
    assert.match(said, /shuffle\(\) and split\(\) of @tutti\/data/);
    assert.doesNotMatch(said, /memory/);
  });

  it('are refused when a run is to go on with them, or steps of it are replayed', async () => {
    const path = await each.folder.program(inOrder(SHUFFLED_ANEW));
    const checkpointDir = join(each.folder.path, 'checkpoints');
    const often = { checkpointDir, checkpointEvery: { steps: 5 }, checkpointKeep: 5 };
    await runLocal(path, { workers: 0, ...often }).result;
    for (const workers of [0, 1])
      await assert.rejects(
        runLocal(path, { workers, checkpointDir, resume: 'latest' }).result,
        ({ code, message, remedy }) => {
          assert.equal(code, 'BAD_CHECKPOINT');
          assert.match(message, /training data are not those of the run .*: other values in field/);
          assert.match(remedy, /shuffle\(\)/);
          return true;
        },
      );
    const { code, stderr } = await tutti(['replay', path, '--checkpoint', checkpointDir]).ended;
    assert.equal(code, 1);
    assert.match(stderr, /training data are not those of the run that wrote it: other values in/);
  });
});

describe('a checkpoint', () => {
  it('from before the data were recorded can be gone on from', async () => {
    const path = await each.folder.program(inOrder('indices.toReversed()'));
    const checkpointDir = join(each.folder.path, 'checkpoints');
    const whole = await runLocal(path, { workers: 0, checkpointDir }).result;
    const half = { workers: 0, checkpointDir: join(each.folder.path, 'half') };
    const { modelPath } = await runLocal(path, { ...half, steps: 5 }).result;
    const file = join(modelPath!, 'manifest.json');
    const { checksum: _, ...written } = JSON.parse(await readFile(file, 'utf8'));
    assert.equal(written.plan.data.training.size, 103);
    delete written.plan.data;
    const checksum = createHash('sha256').update(JSON.stringify(written)).digest('hex');
    await writeFile(file, `${JSON.stringify({ ...written, checksum }, null, 2)}\n`);
    assert.equal((await readManifest(modelPath!)).plan.data, undefined);
    const epochs = 2;
    const going = await runLocal(path, { ...half, epochs, resume: modelPath! }).result;
    assert.equal(going.digest, whole.digest);
    assert.deepEqual(going.plan.data, whole.plan.data);
  });
});
