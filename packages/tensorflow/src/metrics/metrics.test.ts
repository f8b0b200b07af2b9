import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import type { Loss, LossName } from '../losses/losses.js';
import type { FunctionModel } from '../model/function-model.js';
import { open } from '../testing.js';
import { tf } from '../tf.js';

const N = 12;
const METRICS = ['accuracy', 'meanAbsoluteError', 'meanSquaredError'] as const;
const TFJS = ['accuracy', 'mae', 'mse'];

type Activation = 'softmax' | 'sigmoid' | 'linear';

/** Labels that the loss takes for outputs [n, ...shape]. */
function labels(loss: string, shape: readonly number[]) {
  const random = createRandom('labels', loss, ...shape);
  const classes = shape.at(-1)!;
  const size = shape.reduce((product, extent) => product * extent, N);
  const rows = size / classes;
  const chosen = Int32Array.from({ length: rows }, () => random.below(classes));
  if (loss.startsWith('sparse')) return { data: chosen, shape: [N, ...shape.slice(0, -1)] };
  const data = Float32Array.from({ length: size }, (_, i) => {
    if (loss === 'categoricalCrossentropy')
      return chosen[Math.floor(i / classes)] === i % classes ? 1 : 0;
    if (loss === 'binaryCrossentropy') return random.below(2);
    return random.next() < 0.5 ? random.below(2) : random.next();
  });
  return { data, shape: [N, ...shape] };
}

function inputs(shape: readonly number[]): Batch[string] {
  const random = createRandom('inputs', ...shape);
  const of = [...shape.slice(0, -1), 4];
  const length = of.reduce((product, extent) => product * extent, N);
  return { data: Float32Array.from({ length }, () => 4 * random.next() - 2), shape: [N, ...of] };
}

it('a metric is better as what it is, not as it is called', async () => {
  const x = () => tf.input({ shape: [4], name: 'x' });
  const output = (input: tf.SymbolicTensor, name: string) =>
    tf.layers.dense({ units: 3, name }).apply(input) as tf.SymbolicTensor;
  const errors = (yTrue: tf.Tensor) => yTrue.sum(-1);
  const computation = await open({
    model: () => {
      const input = x();
      return tf.model({ inputs: input, outputs: [output(input, 'gloss'), output(input, 'size')] });
    },
    loss: {
      gloss: { name: 'categoricalCrossentropy', fromLogits: true },
      size: 'meanSquaredError',
    },
    metrics: {
      gloss: ['accuracy', { name: 'recall', as: 'found' }, errors],
      size: [{ name: 'meanAbsoluteError', as: 'mae' }, 'r2'],
    },
  });
  assert.deepEqual(computation.metricDirections, {
    gloss_accuracy: 'more',
    gloss_found: 'more',
    gloss_errors: 'less',
    size_mae: 'less',
    size_r2: 'more',
  });
  await computation.close?.();
});

describe('metrics', () => {
  const shapes = [[1], [4], [3, 1], [3, 4], [2, 3, 4]];
  const cases: [LossName, Activation, (shape: number[]) => boolean][] = [
    ['binaryCrossentropy', 'sigmoid', () => true],
    ['categoricalCrossentropy', 'softmax', (shape) => shape.at(-1)! > 1],
    ['sparseCategoricalCrossentropy', 'softmax', (shape) => shape.at(-1)! > 1],
    ['meanSquaredError', 'linear', () => true],
    ['meanSquaredError', 'softmax', () => true],
    ['meanAbsoluteError', 'sigmoid', () => true],
  ];

  const model = (shape: number[], activation: Activation) => () =>
    tf.sequential({
      layers: [
        tf.layers.dense({
          inputShape: [...shape.slice(0, -1), 4],
          units: shape.at(-1)!,
          activation,
          name: 'only',
        }),
      ],
    });

  /** What `evaluate` of tfjs says for these weights: the loss, then the metrics. */
  async function byTfjs(
    shape: number[],
    activation: Activation,
    loss: string | ((yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor),
    names: string[],
    weights: Readonly<Record<string, Float32Array>>,
    { x, y }: Batch,
  ): Promise<number[]> {
    const reference = model(shape, activation)();
    reference.setWeights([
      tf.tensor(weights['only/kernel']!, [4, shape.at(-1)!]),
      tf.tensor(weights['only/bias']!),
    ]);
    reference.compile({ optimizer: 'sgd', loss: loss as never, metrics: names });
    const sparse = y!.shape.length < x!.shape.length;
    const result = reference.evaluate(
      tf.tensor(x!.data, [...x!.shape]),
      tf.tensor(y!.data, sparse ? [...y!.shape, 1] : [...y!.shape], 'float32'),
      { batchSize: N },
    );
    return [result].flat().map((scalar) => scalar.dataSync()[0]!);
  }

  const assertAll = (found: number[], expected: number[]) =>
    expected.forEach((value, at) => {
      const name = ['loss', ...METRICS][at];
      assert.ok(Math.abs(found[at]! - value) < 1e-5, `${name}: ${found[at]} and ${value}`);
    });

  for (const [loss, activation, fits] of cases)
    for (const shape of shapes.filter(fits))
      it(`are those of tfjs: ${loss} of ${activation}, [n, ${shape.join(', ')}]`, async () => {
        const batch = { x: inputs(shape)!, y: labels(loss, shape) };
        // Class numbers have no errors of numbers.
        const count = loss.startsWith('sparse') ? 1 : 3;
        const metrics = METRICS.slice(0, count);
        const computation = await open({ model: model(shape, activation), loss, metrics });
        const weights = await computation.initialize(3);
        const expected = await byTfjs(
          shape,
          activation,
          loss,
          TFJS.slice(0, count),
          weights,
          batch,
        );
        const result = await computation.evaluate(weights, batch);
        const found = [result.lossSum, ...metrics.map((name) => result.metrics![name]!)];
        assertAll(
          found.map((sum) => sum / N),
          expected,
        );
        await computation.close?.();
      });

  it('count no prediction as right that is no number', async () => {
    const computation = await open({
      model: model([5], 'softmax'),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['topKAccuracy'],
    });
    const weights = await computation.initialize(3);
    const x = { data: new Float32Array(2 * 4).fill(Number.NaN, 0, 4), shape: [2, 4] };
    const y = { data: Int32Array.of(1, 1), shape: [2] };
    const { metrics } = await computation.evaluate(weights, { x, y });
    assert.deepEqual(metrics, { topKAccuracy: 1 });
  });

  for (const shape of shapes)
    for (const name of ['binaryCrossentropy', 'categoricalCrossentropy'] as const) {
      if (name === 'categoricalCrossentropy' && shape.at(-1) === 1) continue;
      it(`of logits are those of their probabilities: ${name}, [n, ${shape.join(', ')}]`, async () => {
        const batch = { x: inputs(shape)!, y: labels(name, shape) };
        const loss: Loss = { name, fromLogits: true };
        const computation = await open({
          model: model(shape, 'linear'),
          loss,
          metrics: ['accuracy'],
        });
        const weights = await computation.initialize(3);
        const activation = name === 'binaryCrossentropy' ? 'sigmoid' : 'softmax';
        const expected = await byTfjs(shape, activation, name, ['accuracy'], weights, batch);
        const { lossSum, metrics } = await computation.evaluate(weights, batch);
        assertAll([lossSum / N, metrics!.accuracy! / N], expected);
        await computation.close?.();
      });
    }

  for (const shape of shapes)
    it(`are those of tfjs with a loss of the program's own, [n, ${shape.join(', ')}]`, async () => {
      const rest = shape.map((_, at) => at + 1);
      const computation = await open({
        model: model(shape, 'sigmoid'),
        loss: (yTrue, yPred) => yTrue.sub(yPred).abs().mean(rest),
        metrics: METRICS,
      });
      const batch = { x: inputs(shape)!, y: labels('binaryCrossentropy', shape) };
      const weights = await computation.initialize(3);
      const own = (yTrue: tf.Tensor, yPred: tf.Tensor) => yTrue.sub(yPred).abs().mean(rest);
      const expected = await byTfjs(shape, 'sigmoid', own, TFJS, weights, batch);
      const { lossSum, metrics } = await computation.evaluate(weights, batch);
      assertAll(
        [lossSum, ...METRICS.map((name) => metrics![name]!)].map((sum) => sum / N),
        expected,
      );
      await computation.close?.();
    });

  it('tell several labels of one example apart', async () => {
    // Eleven of twelve labels are said rightly, though the largest is often not the same one.
    const model: FunctionModel<'unused'> = {
      parameters: { unused: [1] },
      initialize: () => ({ unused: [1] }),
      apply: ({ unused }, { x }) => x!.mul(unused),
    };
    const computation = await open({
      model,
      loss: 'binaryCrossentropy',
      metrics: ['accuracy'],
    });
    const said = [0.9, 0.8, 0.1, 0.2, 0.9, 0.8, 0.6, 0.2, 0.4, 0.3, 0.2, 0.1];
    const meant = [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0];
    const { metrics } = await computation.evaluate(
      { unused: Float32Array.of(1) },
      {
        x: { data: Float32Array.from(said), shape: [3, 4] },
        y: { data: Float32Array.from(meant), shape: [3, 4] },
      },
    );
    assert.ok(Math.abs(metrics!.accuracy! / 3 - 11 / 12) < 1e-6);
  });
});
