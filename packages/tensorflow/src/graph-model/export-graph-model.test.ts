import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportLayersModel } from '../export/export-layers-model.js';
import { drawnValues, inputsFor, MODELS, predicted, programOf } from '../model/testing.js';
import { training } from '../testing.js';
import { tf } from '../tf.js';
import { exportGraphModel } from './export-graph-model.js';

/** What tfjs computes for layers, but not for graphs, or not for any number of examples. */
const REFUSED: Record<string, RegExp> = {
  centerCrop: /cannot be exported as a graph: Range reads what differs from batch to batch/,
  conv3dTranspose: /cannot be exported as a graph: Unknown op 'Conv3DBackpropInputV2'/,
};

describe('a graph model', function () {
  this.timeout(300_000);
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tutti-graph-model-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  for (const name of Object.keys(MODELS).filter((each) => !(each in REFUSED)))
    it(`is loaded by tf.loadGraphModel and predicts the same: ${name}`, async () => {
      const program = programOf(name);
      const values = await drawnValues(program);
      const path = await exportGraphModel(program, values, join(directory, 'graph'));
      const layers = await exportLayersModel(program, values, join(directory, 'layers'));
      const model = await tf.loadGraphModel(`file://${path}`);
      for (const examples of [1, 3]) {
        const inputs = inputsFor(MODELS[name]![0], examples);
        const given = inputs.map(({ values, shape }) => tf.tensor([...values], [...shape]));
        const found = [model.predict(given.length === 1 ? given[0]! : given)].flat() as tf.Tensor[];
        const wanted = await predicted(layers, inputs);
        assert.equal(found.length, wanted.length);
        for (const [at, output] of found.entries()) {
          const numbers = output.dataSync();
          assert.equal(numbers.length, wanted[at]!.length);
          const scale = Math.max(1, ...wanted[at]!.map(Math.abs));
          for (const [i, value] of wanted[at]!.entries())
            assert.ok(Math.abs(numbers[i]! - value) <= 1e-6 * scale, `${numbers[i]}, ${value}`);
        }
      }
      model.dispose();
    });

  for (const [name, message] of Object.entries(REFUSED))
    it(`is refused, with the reason: ${name}`, async () => {
      const program = programOf(name);
      const exported = exportGraphModel(program, await drawnValues(program), directory);
      await assert.rejects(exported, { code: 'BAD_PROGRAM', message, remedy: /--format tfjs/ });
      assert.deepEqual(await readdir(directory), []);
    });

  it('is refused for a layer of the program that reads values, with the reason', async () => {
    class Reading extends tf.layers.Layer {
      static readonly className = 'Reading';
      override call(inputs: tf.Tensor | tf.Tensor[]) {
        const [input] = [inputs].flat() as [tf.Tensor];
        return input.mul(Math.max(...input.dataSync()));
      }
    }
    const program = training({
      model: () => {
        const input = tf.input({ shape: [2] });
        return tf.model({
          inputs: input,
          outputs: new Reading().apply(input) as tf.SymbolicTensor,
        });
      },
      loss: 'meanSquaredError',
    });
    await assert.rejects(exportGraphModel(program, {}, directory), {
      code: 'BAD_PROGRAM',
      message: /cannot be exported as a graph: it reads values of tensors/,
    });
  });

  it('takes inputs by their names', async () => {
    const program = training({
      model: () => {
        const [left, right] = ['left', 'right'].map((name) => tf.input({ shape: [2], name }));
        const scaled = tf.layers.dense({ units: 2 }).apply(right!) as tf.SymbolicTensor;
        const outputs = tf.layers.concatenate().apply([scaled, left!]) as tf.SymbolicTensor;
        return tf.model({ inputs: [left!, right!], outputs });
      },
      loss: 'meanSquaredError',
    });
    const path = await exportGraphModel(program, await drawnValues(program), directory);
    const model = await tf.loadGraphModel(`file://${path}`);
    const [left, right] = [tf.tensor2d([[1, 2]]), tf.tensor2d([[0, 0]])];
    const bias = (model.predict({ right, left }) as tf.Tensor).arraySync() as number[][];
    assert.deepEqual(bias[0]!.slice(2), [1, 2]);
  });

  it('is refused for inputs of any length, and where it cannot be written', async () => {
    const program = training({
      model: () =>
        tf.sequential({
          layers: [tf.layers.globalMaxPooling1d({ inputShape: [null, 3] } as never)],
        }),
      loss: 'meanSquaredError',
    });
    await assert.rejects(exportGraphModel(program, {}, directory), {
      message: /an input is \[any, any, 3\]/,
    });
    const file = join(directory, 'file');
    await writeFile(file, '');
    const dense = programOf('dense');
    await assert.rejects(exportGraphModel(dense, await drawnValues(dense), join(file, 'model')), {
      code: 'STORAGE',
    });
  });
});
