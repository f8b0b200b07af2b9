import assert from 'node:assert/strict';
import { assertClose, assertFiniteDifferences, classified, gradient, open } from '../testing.js';
import { tf } from '../tf.js';

const { layers } = tf;

describe('dilated convolutions', () => {
  const CASES: Record<string, [number[], () => tf.layers.Layer]> = {
    conv1d: [
      [9, 2],
      () => layers.conv1d({ filters: 3, kernelSize: 3, dilationRate: 2, name: 'it' }),
    ],
    'conv1d, padded': [
      [9, 2],
      () =>
        layers.conv1d({
          ...{ filters: 3, kernelSize: 2, dilationRate: 3, padding: 'same', name: 'it' },
          ...{ activation: 'tanh', useBias: false },
        }),
    ],
    conv2d: [
      [7, 8, 2],
      () =>
        layers.conv2d({
          ...{ filters: 3, kernelSize: [2, 3], dilationRate: [3, 2], name: 'it' },
          activation: 'elu',
        }),
    ],
    'conv2d along one extent, padded': [
      [7, 8, 2],
      () =>
        layers.conv2d({
          ...{ filters: 3, kernelSize: 3, dilationRate: [1, 2], padding: 'same', name: 'it' },
        }),
    ],
    separableConv2d: [
      [7, 8, 2],
      () =>
        layers.separableConv2d({
          ...{ filters: 3, kernelSize: 2, depthMultiplier: 2, dilationRate: 2, name: 'it' },
          padding: 'same',
        }),
    ],
  };
  for (const [name, [shape, make]] of Object.entries(CASES))
    it(`give what tfjs gives, and gradients: ${name}`, async () => {
      const model = () => {
        const inputs = tf.input({ shape });
        // In front of it, so that its input has a gradient.
        const before = layers.dense({ units: 2, name: 'before' }).apply(inputs);
        const flat = layers.flatten().apply(make().apply(before));
        const outputs = layers.dense({ units: 3, activation: 'softmax', name: 'end' }).apply(flat);
        return tf.model({ inputs, outputs: outputs as tf.SymbolicTensor });
      };
      const loss = 'sparseCategoricalCrossentropy';
      const [single, graph] = [
        await open({ model, loss, graph: false }),
        await open({ model, loss }),
      ];
      const weights = await single.initialize(1);
      const batch = classified(2, shape, 3);
      const { lossSum, gradient: found } = await gradient(single, weights, batch);
      assertClose((await gradient(graph, weights, batch)).gradient, found, 1e-4);
      await assertFiniteDifferences(single, weights, batch);

      const built = model();
      built.setWeights(
        built.weights.map(({ originalName, shape: of }) =>
          tf.tensor(weights[originalName]!, of as number[]),
        ),
      );
      const x = tf.tensor(batch.x!.data, [...batch.x!.shape]);
      const labels = tf.oneHot(tf.tensor1d(batch.y!.data, 'int32'), 3);
      const predicted = built.predict(x) as tf.Tensor;
      const expected = tf.metrics.categoricalCrossentropy(labels, predicted).sum().dataSync()[0]!;
      assert.ok(Math.abs(lossSum - expected) < 1e-4 * expected, `${lossSum} and ${expected}`);
      await single.close?.();
      await graph.close?.();
    });
});
