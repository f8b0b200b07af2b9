import assert from 'node:assert/strict';
import { readModel } from '@tutti/edge';
import { open, training } from '../testing.js';
import { tf } from '../tf.js';
import { edgeModel } from './edge-model.js';
import { evaluateEdge } from './evaluate-edge.js';

describe('the metrics of a .tutti file', () => {
  it('are those of the program, also of the steps that count alone', async () => {
    const options = {
      model: () =>
        tf.sequential({
          layers: [
            tf.layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 4, maskZero: true }),
            tf.layers.lstm({ units: 3, returnSequences: true }),
            tf.layers.dense({ units: 3, activation: 'softmax' }),
          ],
        }),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy', 'perplexity'],
    } as const;
    const program = training(options);
    const computation = await open(options);
    const weights = await computation.initialize(1);
    const batch = {
      x: { data: Float32Array.of(1, 2, 0, 0, 3, 0, 0, 0), shape: [2, 4] },
      y: { data: Int32Array.of(1, 1, 0, 2, 2, 0, 1, 0), shape: [2, 4] },
    };
    const file = readModel(edgeModel(program, weights).bytes);
    const before = tf.memory().numTensors;
    const { count, metrics } = evaluateEdge(program, file, batch);
    assert.equal(tf.memory().numTensors, before);
    const expected = await computation.evaluate(weights, batch);
    assert.equal(count, expected.count);
    assert.deepEqual(Object.keys(metrics), Object.keys(expected.metrics!));
    for (const [name, value] of Object.entries(expected.metrics!))
      assert.ok(Math.abs(metrics[name]! - value) < 1e-5, `${name}: ${metrics[name]} and ${value}`);
  });
});
