import assert from 'node:assert/strict';
import { edgeModel, type TrainingProgram, tf, trainedWeights } from '@tutti/tensorflow';
import { createFolder, type Folder, resolvePath } from '../processes/program-files.js';
import { runLocal } from '../processes/run-local.js';
import { predictedElsewhere } from './predicted-elsewhere.js';

const DIGITS = 10_000;
const PIXELS = 28 * 28;

const HASHED = resolvePath('@tutti/examples/src/mnist-dense.ts');

/** The same example with other sharing. */
const withSharing = (rules: string) => `
import * as kinds from ${JSON.stringify(resolvePath('@tutti/tensorflow'))};
import hashed from ${JSON.stringify(HASHED)};
const { circulant, basis, kronecker, toeplitz } = kinds;
export default kinds.defineTraining({ ...hashed.training, sharing: [${rules}] });
`;

describe('the example of handwritten digits, as a .tutti file', () => {
  let folder: Folder;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(() => folder.remove());

  for (const [name, rules, stored] of [
    ['hashed', undefined, 25_000 + 2560],
    [
      'computed',
      "circulant('hidden/kernel', { block: 16 }), kronecker('output/kernel')",
      12_544 + 16 * 2 + 16 * 5,
    ],
    ['of a basis', "basis('hidden/kernel', { rank: 24 })", 24 * (784 + 256) + 2560],
  ] as const)
    it(`has its stored values alone, and predicts each test digit as TensorFlow does: ${name}`, async function () {
      this.timeout(180_000);
      const path = rules === undefined ? HASHED : await folder.program(withSharing(rules));
      const { values, parameters } = await runLocal(path, { workers: 0, steps: 100 }).result;
      const { default: program } = (await import(path)) as { default: TrainingProgram };
      const { bytes, needsSharing } = edgeModel(program, values);
      assert.equal(parameters.length, stored + 256 + 10);
      assert.ok(bytes.length < 4 * parameters.length + 130, `${bytes.length} bytes`);
      assert.equal(needsSharing, name === 'computed');

      const { evaluation } = await program.data();
      const batch = await evaluation!.read(Array.from({ length: DIGITS }, (_, at) => at));
      const x = Float32Array.from(batch.x!.data);
      const weights = trainedWeights(program, values);
      const model = (program.training.model as () => tf.LayersModel)();
      model.setWeights(weights.map((each) => tf.tensor(each.values, [...each.shape])));
      const predicted = model.predict(tf.tensor(x, [DIGITS, 28, 28, 1])) as tf.Tensor;
      const expected = predicted.dataSync();
      const found = await predictedElsewhere(folder.path, bytes, x, PIXELS, needsSharing);
      assert.equal(found.length, 10 * DIGITS);
      for (const [at, value] of expected.entries())
        assert.ok(Math.abs(found[at]! - value) <= 1e-5, `${at}: ${found[at]}, not ${value}`);
      const right = Array.from(batch.y!.data).filter((label, at) => {
        const scores = found.subarray(10 * at, 10 * at + 10);
        return scores.indexOf(Math.max(...scores)) === label;
      }).length;
      assert.ok(right > 0.8 * DIGITS, `${right} are right`);
    });
});
