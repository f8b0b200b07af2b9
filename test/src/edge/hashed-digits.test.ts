import assert from 'node:assert/strict';
import { edgeModel, type TrainingProgram, tf, trainedWeights } from '@tutti/tensorflow';
import { createFolder, resolvePath } from '../processes/program-files.js';
import { runLocal } from '../processes/run-local.js';
import { predictedElsewhere } from './predicted-elsewhere.js';

const DIGITS = 10_000;
const PIXELS = 28 * 28;

describe('the hashed example of handwritten digits, as a .tutti file', () => {
  it('has its stored values alone, and predicts each test digit as TensorFlow does', async function () {
    this.timeout(180_000);
    const path = resolvePath('@tutti/examples/src/mnist-dense.ts');
    const { values, parameters } = await runLocal(path, { workers: 0, steps: 100 }).result;
    const { default: program } = (await import(path)) as { default: TrainingProgram };
    const { bytes } = edgeModel(program, values);
    assert.equal(parameters.length, 25_000 + 256 + 2_560 + 10);
    assert.ok(bytes.length < 4 * parameters.length + 100, `${bytes.length} bytes`);

    const { evaluation } = await program.data();
    const batch = await evaluation!.read(Array.from({ length: DIGITS }, (_, at) => at));
    const x = Float32Array.from(batch.x!.data);
    const weights = trainedWeights(program, values);
    const model = (program.training.model as () => tf.LayersModel)();
    model.setWeights(weights.map((each) => tf.tensor(each.values, [...each.shape])));
    const predicted = model.predict(tf.tensor(x, [DIGITS, 28, 28, 1])) as tf.Tensor;
    const expected = predicted.dataSync();
    const folder = await createFolder();
    try {
      const found = await predictedElsewhere(folder.path, bytes, x, PIXELS);
      assert.equal(found.length, 10 * DIGITS);
      for (const [at, value] of expected.entries())
        assert.ok(Math.abs(found[at]! - value) <= 1e-5, `${at}: ${found[at]}, not ${value}`);
      const right = Array.from(batch.y!.data).filter((label, at) => {
        const scores = found.subarray(10 * at, 10 * at + 10);
        return scores.indexOf(Math.max(...scores)) === label;
      }).length;
      assert.ok(right > 0.85 * DIGITS, `${right} are right`);
    } finally {
      await folder.remove();
    }
  });
});
