import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import type { Computation, ParameterValues } from '@tutti/worker';
import {
  assertClose,
  assertFiniteDifferences,
  classified,
  gradient,
  open as openWith,
  smallConvNet,
} from '../testing.js';
import { tf } from '../tf.js';
import { tidied } from '../tfjs/tidied.js';

const images = classified(6, [12, 12, 1], 5);

const smooth = () =>
  tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [5], units: 7, activation: 'tanh' }),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });

describe('gradients', () => {
  const opened: Computation[] = [];
  const open = async (...args: Parameters<typeof openWith>) => {
    const computation = await openWith(...args);
    opened.push(computation);
    return computation;
  };
  afterEach(async () => {
    for (const computation of opened.splice(0)) await computation.close?.();
  });

  for (const accelerate of [false, true]) {
    describe(accelerate ? 'accelerated' : 'as tfjs has them', () => {
      it('of the sum over the examples agree with finite differences', async () => {
        const computation = await open({
          model: smooth,
          loss: 'sparseCategoricalCrossentropy',
          accelerate,
        });
        const weights = await computation.initialize(3);
        await assertFiniteDifferences(computation, weights, classified(9, [5], 3));
      });

      it('of recurrent and embedding layers agree with finite differences', async () => {
        const computation = await open({
          model: () =>
            tf.sequential({
              layers: [
                tf.layers.embedding({ inputShape: [6], inputDim: 11, outputDim: 4 }),
                tf.layers.lstm({ units: 5 }),
                tf.layers.dense({ units: 1, activation: 'sigmoid' }),
              ],
            }),
          loss: 'binaryCrossentropy',
          accelerate,
        });
        const batch: Batch = {
          x: { data: Int32Array.from({ length: 24 }, (_, i) => (i * 7) % 11), shape: [4, 6] },
          y: { data: Int32Array.of(0, 1, 1, 0), shape: [4] },
        };
        await assertFiniteDifferences(computation, await computation.initialize(3), batch);
      });

      it('are told from the last layer to the first, while the rest is computed', async () => {
        const computation = await open({
          model: smallConvNet,
          loss: 'sparseCategoricalCrossentropy',
          accelerate,
          graph: false,
        });
        const told: string[] = [];
        const weights = await computation.initialize(3);
        const microBatch = { batch: images, epoch: 0, step: 0, shard: 0, random: createRandom('') };
        const { gradient: rest } = await computation.gradient(weights, microBatch, (name) =>
          told.push(name),
        );
        assert.deepEqual(rest, {});
        const layers = told.map((name) => name.split('/')[0]);
        const backwards = computation.parameters.map(({ name }) => name.split('/')[0]).reverse();
        assert.deepEqual(layers, backwards);
      });

      it('of the ConvNet are those of tf.variableGrads', async () => {
        const computation = await open({
          model: smallConvNet,
          loss: 'sparseCategoricalCrossentropy',
          metrics: ['accuracy'],
          accelerate,
        });
        const weights = await computation.initialize(3);
        const result = await gradient(computation, weights, images);
        const expected = reference(smallConvNet, weights, images);
        assertClose(result.gradient, expected.gradient, 1e-5);
        assert.ok(Math.abs(result.lossSum - expected.loss) < 1e-4);
        assert.equal(result.metrics?.accuracy, expected.correct);
        const evaluated = await computation.evaluate(weights, images);
        assert.ok(Math.abs(evaluated.lossSum - expected.loss) < 1e-4);
        assert.deepEqual(evaluated.metrics, result.metrics);
      });
    });
  }

  it('of convolutions of every kind are those of tf.variableGrads', async () => {
    const model = () =>
      tf.sequential({
        layers: [
          tf.layers.conv2d({
            inputShape: [12, 12, 1],
            filters: 3,
            kernelSize: [3, 2],
            strides: [2, 1],
            padding: 'same',
          }),
          tf.layers.conv2d({ filters: 3, kernelSize: 3, activation: 'tanh' }),
          tf.layers.conv2d({ filters: 2, kernelSize: 2, useBias: false }),
          tf.layers.maxPooling2d({ poolSize: 2, padding: 'same' }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 5, activation: 'softmax' }),
        ],
      });
    const computation = await open({ model, loss: 'sparseCategoricalCrossentropy' });
    const weights = await computation.initialize(3);
    const result = await gradient(computation, weights, images);
    assertClose(result.gradient, reference(model, weights, images).gradient, 1e-5);
  });

  it('have the same bits at every call and in every instance, and leave the weights alone', async () => {
    const options = { model: smallConvNet, loss: 'sparseCategoricalCrossentropy' } as const;
    const [one, two] = [await open(options), await open(options)];
    const weights = await one!.initialize(3);
    assert.deepEqual(await two!.initialize(3), weights);
    const before = structuredClone(weights);
    const first = await gradient(one!, weights, images);
    // The worker reuses its arrays as soon as a call is over.
    const reused = structuredClone(weights);
    await gradient(one!, reused, images);
    for (const values of Object.values(reused)) values.fill(NaN);
    assert.deepEqual(await gradient(one!, weights, images), first);
    assert.deepEqual(await gradient(two!, weights, images), first);
    assert.deepEqual(weights, before);
  });

  for (const graph of [true, false])
    it(`go to whoever takes them without arrays in between, ${graph ? 'from a graph' : 'early'}`, async function () {
      if (!('copyValues' in (tf.backend() as unknown as { binding: object }).binding)) this.skip();
      const model = () =>
        tf.sequential({
          layers: [
            tf.layers.dense({ inputShape: [512], units: 512, kernelInitializer: 'ones' }),
            tf.layers.dense({ units: 3, activation: 'softmax' }),
          ],
        });
      const computation = await open({ model, loss: 'sparseCategoricalCrossentropy', graph });
      const weights = await computation.initialize(3);
      const batch = classified(4, [512], 3);
      const random = createRandom('');
      const taken = structuredClone(weights);
      const once = () =>
        computation.gradient(
          weights,
          { batch, epoch: 0, step: 0, shard: 0, random },
          (name, values) => {
            assert.ok(!(values instanceof Float32Array));
            values.copyTo(taken[name]!, 0);
          },
        );
      await once();
      const before = process.memoryUsage().arrayBuffers;
      for (let i = 0; i < 10; i++) await once();
      const added = process.memoryUsage().arrayBuffers - before;
      assert.ok(added < 512 * 512 * 4, `${added} bytes for ten gradients`);
      assert.deepEqual(taken, (await gradient(computation, weights, batch)).gradient);
    });

  it('of an empty micro-batch are zero', async () => {
    const computation = await open({
      model: smooth,
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    });
    const result = await gradient(
      computation,
      await computation.initialize(1),
      classified(0, [5], 3),
    );
    assert.deepEqual([result.count, result.lossSum, result.metrics], [0, 0, { accuracy: 0 }]);
    assert.ok(Object.values(result.gradient).every((values) => values.every((each) => each === 0)));
    assert.deepEqual(
      Object.values(result.gradient).map(({ length }) => length),
      [35, 7, 21, 3],
    );
  });

  it('of the sum are the sum of the gradients', async () => {
    const computation = await open({ model: smooth, loss: 'sparseCategoricalCrossentropy' });
    const weights = await computation.initialize(3);
    const batch = classified(6, [5], 3);
    const part = (from: number, to: number): Batch => ({
      x: { data: batch.x!.data.slice(from * 5, to * 5), shape: [to - from, 5] },
      y: { data: batch.y!.data.slice(from, to), shape: [to - from] },
    });
    const whole = await gradient(computation, weights, batch);
    const parts = [
      await gradient(computation, weights, part(0, 2)),
      await gradient(computation, weights, part(2, 6)),
    ];
    const sum = Object.fromEntries(
      Object.keys(whole.gradient).map((name) => [
        name,
        parts[0]!.gradient[name]!.map((value, i) => value + parts[1]!.gradient[name]![i]!),
      ]),
    );
    assertClose(sum, whole.gradient, 1e-5);
  });

  it('include the regularizers of all layers once for every example', async () => {
    const model = (strength: number) => () => {
      const kernelRegularizer = tf.regularizers.l2({ l2: strength });
      const { dense, lstm, gru, simpleRNN, simpleRNNCell } = tf.layers;
      const last = { units: 3, kernelRegularizer };
      const input = tf.input({ shape: [4, 3] });
      const all = { returnSequences: true, ...last };
      const inner = tf.input({ shape: [4, 3] });
      const recurrent = [
        lstm({ ...all, recurrentRegularizer: kernelRegularizer, name: 'lstm' }),
        tf.layers.bidirectional({ layer: gru(all) as never, mergeMode: 'sum', name: 'both' }),
        tf.layers.rnn({
          cell: [simpleRNNCell(last), simpleRNNCell(last)],
          returnSequences: true,
          name: 'stacked',
        }),
        tf.layers.timeDistributed({ layer: dense(last), name: 'steps' }),
        tf.sequential({ layers: [simpleRNN({ inputShape: [4, 3], ...all })], name: 'sequential' }),
        tf.model({
          inputs: inner,
          outputs: dense(last).apply(inner) as tf.SymbolicTensor,
          name: 'model',
        }),
      ];
      const twice = dense({ ...last, activation: 'tanh', name: 'twice' });
      const layers = [...recurrent, twice, twice, tf.layers.flatten()];
      const end = layers.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
      const outputs = dense({ ...last, activation: 'softmax' }).apply(end) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs });
    };
    const loss = 'sparseCategoricalCrossentropy';
    const [with_, without] = [
      await open({ model: model(0.5), loss }),
      await open({ model: model(0), loss }),
    ];
    const weights = await with_!.initialize(3);
    const batch = classified(4, [4, 3], 3);
    const [a, b] = [
      await gradient(with_!, weights, batch),
      await gradient(without!, weights, batch),
    ];
    let penalty = 0;
    for (const [name, values] of Object.entries(weights)) {
      const penalised = /[^_]kernel$/.test(name) || name === 'lstm/recurrent_kernel';
      const expected = b!.gradient[name]!.map(
        (value, i) => value + (penalised ? 4 * values[i]! : 0),
      );
      assertClose({ [name]: a!.gradient[name]! }, { [name]: expected }, 1e-5);
      if (penalised) penalty += values.reduce((sum, value) => sum + value * value, 0) / 2;
    }
    assert.ok(Math.abs(a!.lossSum - b!.lossSum - 4 * penalty) < 1e-4 * a!.lossSum);
  });

  it('have no penalty of what is not trained', async () => {
    const model = (options: object) => () =>
      tf.sequential({
        layers: [
          tf.layers.dense({ inputShape: [5], units: 4, trainable: false, ...options }),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      });
    const loss = 'sparseCategoricalCrossentropy';
    const [penalised, plain] = [
      await open({ model: model({ kernelRegularizer: 'l1l2' }), loss }),
      await open({ model: model({}), loss }),
    ];
    const weights = await plain!.initialize(3);
    const batch = classified(4, [5], 3);
    assert.deepEqual(
      await gradient(penalised!, weights, batch),
      await gradient(plain!, weights, batch),
    );
  });

  it('name a number of the batch that is looked up, and is in no table', async () => {
    const model = () => {
      const [left, right] = ['left', 'right'].map((name) => tf.input({ shape: [2], name }));
      const tables = [left!, right!].map((input) =>
        tf.layers.embedding({ inputDim: 5, outputDim: 2 }).apply(input),
      );
      const joined = tf.layers.concatenate().apply(tables as tf.SymbolicTensor[]);
      const last = tf.layers.dense({ units: 1 }).apply(tf.layers.flatten().apply(joined));
      return tf.model({ inputs: [left!, right!], outputs: last as tf.SymbolicTensor });
    };
    const field = (values: number[], shape: number[]) => ({
      data: Float32Array.from(values),
      shape,
    });
    for (const graph of [false, undefined])
      for (const word of [5, -1, Number.NaN, 1e12]) {
        const loss = 'meanSquaredError';
        const computation = await open({ model, loss, ...(graph === undefined ? {} : { graph }) });
        const weights = await computation.initialize(1);
        const batch: Batch = {
          left: field([0, 1, 2, 3, 4, 0], [3, 2]),
          right: field([0, 1, 2, 3, 4, word], [3, 2]),
          y: field([1, 2, 3], [3]),
        };
        const error = {
          code: 'BAD_DATA',
          message: `Field "right" has ${batch.right!.data[5]} in element 1, which is looked up in a table of 5 rows`,
          details: { field: 'right', row: 2, element: 1 },
        };
        await assert.rejects(gradient(computation, weights, batch), error);
        await assert.rejects(async () => computation.evaluate(weights, batch), error);
      }
  });

  it('are refused where the loss does not depend on any weight', async () => {
    const computation = await open({
      model: smooth,
      loss: (_yTrue, yPred) => tf.tensor1d([...yPred.sum(1).dataSync()]),
    });
    const weights = await computation.initialize(1);
    await assert.rejects(
      gradient(computation, weights, classified(4, [5], 3)),
      /does not depend on any weight/,
    );
  });

  it('leave out of weight decay what the program says', async () => {
    const computation = await open({
      model: smooth,
      loss: 'sparseCategoricalCrossentropy',
      decay: (weight) => weight.endsWith('/kernel'),
    });
    assert.deepEqual(
      computation.parameters.map(({ decay }) => decay),
      [true, false, true, false],
    );
  });

  it('keep no tensors', async () => {
    const computation = await open({
      model: smallConvNet,
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    });
    const weights = await computation.initialize(3);
    const round = async () => {
      await computation.initialize(4);
      await gradient(computation, weights, images);
      await computation.evaluate(weights, images);
      return tf.memory().numTensors;
    };
    const before = await round();
    assert.deepEqual([await round(), await round()], [before, before]);
  });

  it('keep no tensors when the program throws', async () => {
    let fail = false;
    const computation = await open({
      model: smallConvNet,
      loss: (_yTrue, yPred) => {
        if (fail) throw new Error('on purpose');
        return yPred.square().sum(1);
      },
    });
    const weights = await computation.initialize(3);
    await gradient(computation, weights, images);
    const before = tf.memory().numTensors;
    fail = true;
    await assert.rejects(gradient(computation, weights, images), /on purpose/);
    assert.equal(tf.memory().numTensors, before);
    assert.equal(Math.random.toString(), 'function random() { [native code] }');
  });
});

/** The same by tfjs' own means: a model with these weights, tf.variableGrads of the summed loss. */
function reference(build: () => tf.LayersModel, weights: ParameterValues, batch: Batch) {
  return tidied(() => {
    const model = build();
    model.setWeights(
      model.getWeights().map((weight, at) => tf.tensor(Object.values(weights)[at]!, weight.shape)),
    );
    const x = tf.tensor(batch.x!.data, [...batch.x!.shape]);
    const labels = tf.oneHot(tf.tensor1d(batch.y!.data as Int32Array, 'int32'), 5);
    const { value, grads } = tf.variableGrads(
      () =>
        tf.metrics
          .categoricalCrossentropy(labels, model.apply(x, { training: true }) as tf.Tensor)
          .sum() as tf.Scalar,
    );
    const gradients = model.trainableWeights.map(
      (weight) => grads[weight.name]!.dataSync() as Float32Array,
    );
    const predicted = [...(model.predict(x) as tf.Tensor).argMax(-1).dataSync()];
    return {
      gradient: Object.fromEntries(Object.keys(weights).map((name, at) => [name, gradients[at]!])),
      loss: value.dataSync()[0]!,
      correct: predicted.reduce((n, label, i) => n + (label === batch.y!.data[i] ? 1 : 0), 0),
    };
  });
}
