import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { classified, gradient, open } from '../testing.js';
import { tf } from '../tf.js';
import type { Loss } from './losses.js';

const outputs = (units: number, activation: 'softmax' | 'sigmoid' | 'linear') => () =>
  tf.sequential({ layers: [tf.layers.dense({ inputShape: [5], units, activation })] });

async function lossOf(model: () => tf.LayersModel, loss: Loss, batch: Batch) {
  const computation = await open({ model, loss, metrics: ['accuracy'] });
  return gradient(computation, await computation.initialize(2), batch);
}

/** Every second example is wrong by 1, as are its neighbours' labels seen from it. */
const ownErrors = {
  broadcasting: (yTrue: tf.Tensor, yPred: tf.Tensor) => yPred.sub(yTrue).square().mean(-1),
  reshaping: (yTrue: tf.Tensor, yPred: tf.Tensor) =>
    yPred.sub(yTrue.reshape(yPred.shape)).square().mean(-1),
  flattening: (yTrue: tf.Tensor, yPred: tf.Tensor) => yPred.flatten().sub(yTrue.flatten()).square(),
  /** Over pairs, on purpose: each prediction against the labels of all. */
  pairwise: (yTrue: tf.Tensor, yPred: tf.Tensor) =>
    yPred
      .reshape([-1, 1])
      .sub(yTrue.reshape([1, -1]))
      .square()
      .mean(-1),
};

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
      [
        outputs(3, 'softmax'),
        'categoricalCrossentropy',
        sparse,
        /categoricalCrossentropy compares labels with predictions \[6, 3\], but the labels are \[6\]$/,
      ],
      [
        outputs(3, 'softmax'),
        'sparseCategoricalCrossentropy',
        oneHot,
        /one class number for each.*labels as \[6\] with/,
      ],
      [
        outputs(2, 'softmax'),
        'sparseCategoricalCrossentropy',
        sparse,
        /A label is 2, but the model has 2 classes/,
      ],
      [outputs(1, 'softmax'), 'sparseCategoricalCrossentropy', sparse, /The model has 1 class$/],
      [outputs(1, 'softmax'), 'categoricalCrossentropy', binary, /The model has 1 class$/],
      [outputs(3, 'linear'), (_y, yPred) => yPred.mean(), sparse, /gave a tensor \[\] for 6/],
      [outputs(3, 'linear'), 'meanSquaredError', { x: sparse.x! }, /needs labels/],
      [outputs(3, 'linear'), 'crossentropy' as never, sparse, /There is no loss "crossentropy"/],
    ];
    for (const [model, loss, batch, expected] of cases)
      await assert.rejects(lossOf(model, loss, batch), expected);
  });

  it('are named where one like it is meant', async () => {
    const meant = 'sparseCategoricalCrossEntropy' as never;
    await assert.rejects(lossOf(outputs(3, 'softmax'), meant, sparse), {
      code: 'BAD_PROGRAM',
      remedy: /^Did you mean sparseCategoricalCrossentropy\?/,
    });
  });

  it('say which options they do not have', async () => {
    const cases: [object, object][] = [
      [
        { name: 'binaryCrossentropy', fromLogit: true },
        {
          message: 'The loss binaryCrossentropy takes no "fromLogit"',
          remedy: /^Did you mean fromLogits/,
        },
      ],
      [
        { name: 'binaryCrossentropy', labelSmoothing: 0.1 },
        { message: 'The loss binaryCrossentropy takes no "labelSmoothing"' },
      ],
      [
        { name: 'binaryCrossentropy', fromLogits: 1 },
        { message: 'fromLogits of the loss binaryCrossentropy is 1' },
      ],
      [
        { name: 'meanSquaredError', fromLogits: true },
        { message: 'The loss meanSquaredError has no fromLogits: it is of numbers' },
      ],
    ];
    for (const [loss, error] of cases)
      await assert.rejects(lossOf(outputs(1, 'sigmoid'), loss as Loss, binary), {
        code: 'BAD_PROGRAM',
        ...error,
      });
    const same = await lossOf(outputs(1, 'sigmoid'), { name: 'binaryCrossentropy' }, binary);
    assert.deepEqual(same, await lossOf(outputs(1, 'sigmoid'), 'binaryCrossentropy', binary));
  });

  it('say which labels mean nothing', async () => {
    for (const label of [2, -1, 255, Number.NaN]) {
      const y = { data: Float32Array.of(0, 1, 0.5, label, 1, 0), shape: [6] };
      await assert.rejects(
        lossOf(outputs(1, 'sigmoid'), 'binaryCrossentropy', { x: binary.x!, y }),
        {
          code: 'BAD_DATA',
          message: `A label is ${label}, which binaryCrossentropy takes for no probability`,
          details: { field: 'y', row: 3, label },
        },
      );
    }
  });

  it('say which labels are of no class, whatever the loss, for metrics that name classes', async () => {
    const loss: Loss = (_labels, yPred) => yPred.square().sum(-1);
    const ofNone: Batch = {
      ...sparse,
      y: { data: Int32Array.of(0, 1, -1, 2, 1, 0), shape: [6] },
      there: { data: Float32Array.of(1, 1, 0, 1, 1, 1), shape: [6] },
    };
    for (const metric of ['accuracy', 'topKAccuracy', 'perplexity', 'recall', 'auc'] as const) {
      const measured = (mask?: string) =>
        open({
          model: outputs(3, 'softmax'),
          loss,
          metrics: [metric],
          ...(mask === undefined ? {} : { mask }),
        }).then(async (computation) =>
          gradient(computation, await computation.initialize(2), ofNone),
        );
      await assert.rejects(measured(), {
        code: 'BAD_DATA',
        message: 'A label is -1, but the model has 3 classes',
        details: { field: 'y', row: 2, label: -1 },
      });
      await measured('there');
    }
  });

  describe('compare labels and predictions of one shape only', () => {
    /** [n, 2, 3] predictions of [n, 2, 5]. */
    const rows = (activation: 'softmax' | 'sigmoid' | 'linear') => () =>
      tf.sequential({
        layers: [tf.layers.dense({ inputShape: [2, 5], units: 3, activation })],
      });
    const inputs = classified(4, [2, 5], 3).x!;
    const labels = (shape: number[]): Batch => ({
      x: inputs,
      y: { data: Int32Array.from({ length: 24 }, (_, i) => i % 2), shape },
    });

    for (const [loss, activation] of [
      ['meanSquaredError', 'linear'],
      ['meanAbsoluteError', 'linear'],
      ['binaryCrossentropy', 'sigmoid'],
      ['categoricalCrossentropy', 'softmax'],
    ] as const)
      it(`${loss}: [4, 3, 2] is refused for [4, 2, 3]`, async () => {
        await lossOf(rows(activation), loss, labels([4, 2, 3]));
        for (const shape of [
          [4, 3, 2],
          [4, 6],
        ])
          await assert.rejects(lossOf(rows(activation), loss, labels(shape)), {
            code: 'PROGRAM_FAILED',
            message: `${loss} compares labels with predictions [4, 2, 3], but the labels are [${shape.join(', ')}]`,
          });
      });

    it('class numbers of a sequence of another length', async () => {
      const numbers = (shape: number[]): Batch => ({
        x: classified(4, [2, 3, 5], 3).x!,
        y: { data: Int32Array.from({ length: 24 }, (_, i) => i % 3), shape },
      });
      const model = () =>
        tf.sequential({
          layers: [tf.layers.dense({ inputShape: [2, 3, 5], units: 3, activation: 'softmax' })],
        });
      const loss = 'sparseCategoricalCrossentropy';
      await lossOf(model, loss, numbers([4, 2, 3]));
      await assert.rejects(lossOf(model, loss, numbers([4, 3, 2])), {
        message: /labels as \[4, 2, 3\] with predictions .*, but the labels are \[4, 3, 2\]$/,
      });
    });

    for (const metric of ['accuracy', 'meanSquaredError', 'meanAbsoluteError'] as const)
      it(`${metric}, whatever the loss makes of them`, async () => {
        const loss: Loss = (_labels, yPred) => yPred.square().mean([1, 2]);
        const at = (shape: number[]) =>
          open({ model: rows('sigmoid'), loss, metrics: [metric] }).then(async (computation) =>
            gradient(computation, await computation.initialize(2), labels(shape)),
          );
        await at([4, 2, 3]);
        await assert.rejects(at([4, 3, 2]), {
          message: /predictions \[4, 2, 3\], but the labels are \[4, 3, 2\]$/,
        });
      });

    it('but for dimensions of length 1, which come and go', async () => {
      const model = () =>
        tf.sequential({
          layers: [tf.layers.dense({ inputShape: [2, 5], units: 1, activation: 'sigmoid' })],
        });
      const given = (shape: number[]): Batch => ({
        x: inputs,
        y: { data: Int32Array.of(0, 1, 1, 0, 1, 1, 0, 1), shape },
      });
      for (const loss of ['meanSquaredError', 'binaryCrossentropy'] as const) {
        const expected = await lossOf(model, loss, given([4, 2, 1]));
        for (const shape of [
          [4, 2],
          [4, 1, 2],
          [4, 2, 1, 1],
        ])
          assert.deepEqual(await lossOf(model, loss, given(shape)), expected);
      }
    });

    it('also functions of a program, which tfjs would have broadcast', async () => {
      const model = outputs(1, 'linear');
      const { broadcasting, reshaping, flattening, pairwise } = ownErrors;
      const expected = (await lossOf(model, 'meanSquaredError', binary)).lossSum;
      for (const loss of [reshaping, flattening])
        close((await lossOf(model, loss, binary)).lossSum, expected);
      const column: Batch = { x: binary.x!, y: { data: binary.y!.data, shape: [6, 1] } };
      close((await lossOf(model, broadcasting, column)).lossSum, expected);
      await lossOf(model, pairwise, binary);
      await assert.rejects(lossOf(model, broadcasting, binary), {
        code: 'PROGRAM_FAILED',
        message:
          'The loss function compares each example with the labels of all: the labels are [6], the predictions [6, 1], and tfjs broadcasts the two',
      });
      const measured = await open({ model, loss: 'meanSquaredError', metrics: [broadcasting] });
      await assert.rejects(gradient(measured, await measured.initialize(2), binary), {
        message: /^Metric "broadcasting" compares each example with the labels of all/,
      });
      await assert.rejects(
        open({ model, loss: broadcasting, graph: true }).then(async (computation) =>
          gradient(computation, await computation.initialize(2), binary),
        ),
        { message: /^The loss function compares each example with the labels of all/ },
      );
    });
  });

  it('are of as many predictions as there are examples', async () => {
    const model = {
      parameters: { kernel: [5, 1] },
      initialize: () => ({ kernel: tf.ones([5, 1]) }),
      apply: ({ kernel }: { kernel: tf.Tensor }, { x }: Record<string, tf.Tensor>) =>
        x!.matMul(kernel).reshape([3, 2]),
    };
    const computation = await open({ model, loss: (_y, yPred) => yPred.square().mean(-1) });
    await assert.rejects(
      async () => gradient(computation, await computation.initialize(1), sparse),
      { message: 'The model gave predictions [3, 2] for 6 examples' },
    );
  });
});
