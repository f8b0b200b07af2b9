import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import type { Loss } from './losses.js';
import { classified, gradient, open } from './testing.js';
import { tf } from './tf.js';

const outputs = (units: number, activation: 'softmax' | 'sigmoid' | 'linear') => () =>
  tf.sequential({ layers: [tf.layers.dense({ inputShape: [5], units, activation })] });

async function lossOf(model: () => tf.LayersModel, loss: Loss, batch: Batch) {
  const computation = await open({ model, loss, metrics: ['accuracy'] });
  return gradient(computation, await computation.initialize(2), batch);
}

describe('losses', () => {
  const sparse = classified(6, [5], 3);
  const oneHot: Batch = {
    x: sparse.x!,
    y: {
      data: Float32Array.from({ length: 18 }, (_, i) =>
        sparse.y!.data[Math.floor(i / 3)] === i % 3 ? 1 : 0,
      ),
      shape: [6, 3],
    },
  };
  const binary: Batch = {
    x: sparse.x!,
    y: { data: Uint8Array.of(0, 1, 1, 0, 1, 0), shape: [6] },
  };
  const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-5, `${a} and ${b}`);

  it('of class numbers and of one-hot labels, of probabilities and of logits are the same', async () => {
    const results = [
      await lossOf(outputs(3, 'softmax'), 'sparseCategoricalCrossentropy', sparse),
      await lossOf(outputs(3, 'softmax'), 'categoricalCrossentropy', oneHot),
      await lossOf(
        outputs(3, 'linear'),
        { name: 'sparseCategoricalCrossentropy', fromLogits: true },
        sparse,
      ),
      await lossOf(
        outputs(3, 'linear'),
        { name: 'categoricalCrossentropy', fromLogits: true },
        oneHot,
      ),
    ];
    for (const { lossSum, metrics } of results) {
      close(lossSum, results[0]!.lossSum);
      assert.deepEqual(metrics, results[0]!.metrics);
    }
  });

  it('of two classes are the same from probabilities and from logits', async () => {
    const a = await lossOf(outputs(1, 'sigmoid'), 'binaryCrossentropy', binary);
    const b = await lossOf(
      outputs(1, 'linear'),
      { name: 'binaryCrossentropy', fromLogits: true },
      binary,
    );
    close(a.lossSum, b.lossSum);
    assert.deepEqual(a.metrics, b.metrics);
  });

  it('are summed over the examples and broadcast nothing', async () => {
    const model = outputs(1, 'linear');
    const computation = await open({ model, loss: 'meanSquaredError' });
    const weights = await computation.initialize(2);
    const { lossSum } = await gradient(computation, weights, binary);
    const kernel = weights['dense_1/kernel']!;
    let expected = 0;
    for (let n = 0; n < 6; n++) {
      const said = kernel.reduce((sum, w, i) => sum + w * binary.x!.data[n * 5 + i]!, 0);
      expected += (said - binary.y!.data[n]!) ** 2;
    }
    close(lossSum, expected);
  });

  it('of numbers are metrics too', async () => {
    const model = outputs(1, 'linear');
    const names = ['meanAbsoluteError', 'meanSquaredError'] as const;
    const computation = await open({ model, loss: 'meanSquaredError', metrics: [...names] });
    const weights = await computation.initialize(2);
    const { metrics } = await gradient(computation, weights, binary);
    for (const loss of names) {
      const { lossSum } = await gradient(await open({ model, loss }), weights, binary);
      assert.equal(metrics![loss], lossSum);
    }
  });

  it('of sequences are the mean over the positions', async () => {
    const model = () =>
      tf.sequential({
        layers: [tf.layers.dense({ inputShape: [4, 5], units: 3, activation: 'softmax' })],
      });
    const sequences: Batch = {
      ...classified(2, [4, 5], 3),
      y: { data: Int32Array.of(0, 1, 2, 0, 2, 1, 0, 1), shape: [2, 4] },
    };
    const flat: Batch = {
      x: { data: sequences.x!.data, shape: [8, 5] },
      y: { data: sequences.y!.data, shape: [8] },
    };
    const loss = 'sparseCategoricalCrossentropy';
    const [a, b] = [
      await lossOf(model, loss, sequences),
      await lossOf(outputs(3, 'softmax'), loss, flat),
    ];
    close(4 * a!.lossSum, b!.lossSum);
    close(4 * a!.metrics!.accuracy!, b!.metrics!.accuracy!);
  });

  it('say what does not fit', async () => {
    const cases: [() => tf.LayersModel, Loss, Batch, RegExp][] = [
      [outputs(3, 'softmax'), 'categoricalCrossentropy', sparse, /labels are \[6\].*\[6, 3\]/],
      [outputs(3, 'softmax'), 'sparseCategoricalCrossentropy', oneHot, /one class number for each/],
      [
        outputs(2, 'softmax'),
        'sparseCategoricalCrossentropy',
        sparse,
        /label of example \d of a batch is 2/,
      ],
      [outputs(1, 'softmax'), 'sparseCategoricalCrossentropy', sparse, /The model has 1 class$/],
      [outputs(3, 'linear'), (_y, yPred) => yPred.mean(), sparse, /gave a tensor \[\] for 6/],
      [outputs(3, 'linear'), 'meanSquaredError', { x: sparse.x! }, /needs labels/],
      [outputs(3, 'linear'), 'crossentropy' as never, sparse, /There is no loss "crossentropy"/],
    ];
    for (const [model, loss, batch, expected] of cases)
      await assert.rejects(lossOf(model, loss, batch), expected);
  });
});
