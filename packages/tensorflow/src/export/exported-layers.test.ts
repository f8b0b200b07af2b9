import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@tutti/runtime';
import { EVERY_LAYER, layerCases, modelOf } from '../model/testing.js';
import { training } from '../testing.js';
import { tf } from '../tf.js';
import { exportLayersModel } from './export-layers-model.js';

/** Parts of layers, other names of the same, and what is no layer of its own. */
const COVERED = [
  ...['Layer', 'RNN', 'RNNCell', 'input', 'bidirectional', 'stackedRNNCells'],
  ...['simpleRNNCell', 'gruCell', 'lstmCell', 'convLstm2dCell'],
  ...['averagePool1d', 'avgPool1d', 'avgPooling1d', 'averagePool2d', 'avgPool2d', 'avgPooling2d'],
  ...['averagePool3d', 'avgPool3d', 'avgPooling3d', 'globalMaxPool1d', 'globalMaxPool2d'],
  ...['maxPool1d', 'maxPool2d', 'maxPool3d'],
];

/** They fail in every model of tfjs-node 4.22, whoever computes it. */
const BROKEN: Record<string, () => tf.layers.Layer> = {
  categoryEncoding: () => tf.layers.categoryEncoding({ numTokens: 5, outputMode: 'multiHot' }),
  randomWidth: () => tf.layers.randomWidth({ factor: 0.2 }),
  resizing: () => tf.layers.resizing({ height: 3, width: 4 }),
};

describe('an export is loaded again', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tutti-layers-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('for every layer of tfjs', () => {
    const known = [...Object.keys(EVERY_LAYER), ...Object.keys(BROKEN), ...COVERED];
    assert.deepEqual(
      Object.keys(tf.layers).filter((name) => !known.includes(name)),
      [],
    );
    for (const make of Object.values(BROKEN))
      assert.throws(() => {
        const input = tf.input({ shape: [6, 6, 1] });
        const outputs = make().apply(input) as tf.SymbolicTensor;
        tf.model({ inputs: input, outputs }).apply(tf.zeros([2, 6, 6, 1]));
      });
  });

  for (const [name, shapes, make] of layerCases())
    it(`and predicts the same: ${name}`, async () => {
      const model = modelOf(shapes, make);
      const program = training({ model, loss: (_yTrue, yPred) => yPred.flatten() });
      const computation = await program.open();
      const random = createRandom('weights');
      const weights = Object.fromEntries(
        computation.parameters.map(({ name, shape }) => [
          name,
          Float32Array.from(
            { length: shape.reduce((a, b) => a * b, 1) },
            () => random.next() + 0.1,
          ),
        ]),
      );
      const path = await exportLayersModel(program, weights, directory);
      const loaded = await tf.loadLayersModel(`file://${path}`);
      // Against a model of tfjs with the same weights, which knows nothing of ours.
      const fresh = model();
      fresh.setWeights(
        fresh.weights.map((_weight, i) => loaded.weights[i]!.read().clone()) as tf.Tensor[],
      );
      const inputs = shapes.map((shape) =>
        tf.randomUniform([2, ...shape.map((extent) => extent ?? 3)], -1, 1, 'float32', 7),
      );
      const [expected, found] = [fresh, loaded].map((each) =>
        (each.apply(inputs.length === 1 ? inputs[0]! : inputs) as tf.Tensor).dataSync(),
      );
      assert.deepEqual(found, expected);
      const values = new Set(loaded.weights.flatMap((w) => [...w.read().dataSync()]));
      const wanted = new Set(Object.values(weights).flatMap((each) => [...each]));
      assert.deepEqual(values, wanted);
    });
});
