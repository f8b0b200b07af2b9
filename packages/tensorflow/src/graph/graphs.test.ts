import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import type { Computation } from '@tutti/worker';
import type { FunctionModel } from '../model/function-model.js';
import { assertClose, classified, gradient, open, smallConvNet } from '../testing.js';
import { tf } from '../tf.js';
import { OPERATIONS } from './operations.js';
import { SPECIMENS } from './testing.js';

type Options = Parameters<typeof open>[0];

const sessions = () => tf.node.getNumOfSavedModels();

type Sums = Readonly<Record<string, number>>;

/** Counts are the same; sums of losses are as close as the losses themselves. */
function assertSums(actual: Sums = {}, expected: Sums = {}) {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) {
    const tolerance = Number.isInteger(value) ? 0 : 1e-6 * Math.abs(value);
    assert.ok(Math.abs(actual[name]! - value) <= tolerance, `${name}: ${actual[name]}, ${value}`);
  }
}

describe('a graph gives what single operations give:', () => {
  for (const [name, { batch, ...options }] of Object.entries(SPECIMENS))
    it(name, async () => {
      const [single, graph] = [await open({ ...options, graph: false }), await open(options)];
      const weights = await single.initialize(3);
      const expected = await gradient(single, weights, batch);
      const evaluated = await single.evaluate(weights, batch);
      const before = sessions();
      const actual = await gradient(graph, weights, batch);
      assert.equal(sessions(), before + 1);
      const evaluation = await graph.evaluate(weights, batch);
      assert.equal(sessions(), before + 2);
      assertClose(
        { loss: Float32Array.of(evaluation.lossSum) },
        { loss: Float32Array.of(evaluated.lossSum) },
        1e-5,
      );
      assertSums(evaluation.metrics, evaluated.metrics);
      assert.deepEqual(await graph.evaluate(weights, batch), evaluation);
      assertClose(actual.gradient, expected.gradient, 1e-5);
      assert.ok(Math.abs(actual.lossSum - expected.lossSum) <= 1e-5 * Math.abs(expected.lossSum));
      assertSums(actual.metrics, expected.metrics);
      assert.deepEqual(await gradient(graph, weights, batch), actual);
      await single.close?.();
      await graph.close?.();
      assert.equal(sessions(), before);
    });

  it('every operation that a graph may have is among these', async () => {
    type Execute = (name: string, ...rest: unknown[]) => unknown;
    const backend = tf.backend() as unknown as Record<string, Execute>;
    const methods = ['executeSingleOutput', 'executeMultipleOutputs'];
    const met = new Set<string>();
    for (const method of methods) {
      const original = backend[method]!;
      backend[method] = function (name, ...rest) {
        met.add(name);
        return original.call(this, name, ...rest);
      };
    }
    try {
      for (const { batch, ...options } of Object.values(SPECIMENS)) {
        const computation = await open(options);
        const weights = await computation.initialize(1);
        await gradient(computation, weights, batch);
        await computation.evaluate(weights, batch);
        await computation.close?.();
      }
    } finally {
      // They are on the prototype.
      for (const method of methods) delete backend[method];
    }
    const missing = [...OPERATIONS].filter((name) => !met.has(name));
    assert.deepEqual(missing, []);
  });
});

describe('graphs', () => {
  const opened: Computation[] = [];
  const opening = async (options: Options) => {
    const computation = await open(options);
    opened.push(computation);
    return computation;
  };
  afterEach(async () => {
    for (const computation of opened.splice(0)) await computation.close?.();
  });

  const batch = classified(8, [5], 3);
  const loss = 'sparseCategoricalCrossentropy';
  const dense = (config: Partial<Parameters<typeof tf.layers.dense>[0]> = {}) =>
    tf.layers.dense({ inputShape: [5], units: 3, activation: 'softmax', ...config });
  const plain = () => tf.sequential({ layers: [dense()] });
  const apply: FunctionModel<'kernel'> = {
    parameters: { kernel: [5, 3] },
    initialize: () => ({ kernel: tf.ones([5, 3]) }),
    apply: ({ kernel }, { x }) => x!.matMul(kernel).softmax(),
  };
  class Doubling extends tf.layers.Layer {
    static className = 'Doubling';
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return tf.mul(Array.isArray(inputs) ? inputs[0]! : inputs, 2);
    }
  }
  /** How many graphs the gradient of a micro-batch takes. */
  async function graphsOf(options: Options, examples: Batch = batch): Promise<number> {
    const computation = await opening(options);
    const before = sessions();
    await gradient(computation, await computation.initialize(1), examples);
    return sessions() - before;
  }

  it('are for layers and losses of tfjs, and for functions that ask for them', async () => {
    const cases: [number, Options][] = [
      [1, { model: plain, loss }],
      [0, { model: plain, loss, graph: false }],
      [0, { model: plain, loss, accelerate: false }],
      [0, { model: plain, loss, accelerate: false, graph: true }],
      [0, { model: plain, loss: (_yTrue, yPred) => yPred.sum(1) }],
      [1, { model: plain, loss: (_yTrue, yPred) => yPred.sum(1), graph: true }],
      [0, { model: apply, loss }],
      [1, { model: apply, loss, graph: true }],
      // What comes before and after the graph may be anything.
      [
        1,
        {
          model: plain,
          loss,
          augment: ({ x, y }) => ({ x: x!.add(tf.randomNormal([8, 5])), y: y! }),
        },
      ],
      [
        1,
        {
          model: plain,
          loss,
          metrics: [
            'accuracy',
            function mine(_yTrue, yPred) {
              return yPred.sum(1);
            },
          ],
        },
      ],
    ];
    for (const [expected, options] of cases) {
      const { arithmetic } = await opening(options);
      assert.equal(arithmetic?.gradients === 'graph', expected === 1);
      assert.equal(await graphsOf(options), expected, JSON.stringify(options));
    }
  });

  it('are not for layers that may do something else each time', async () => {
    const sequential =
      (...layers: tf.layers.Layer[]) =>
      () =>
        tf.sequential({ layers: layers });
    const patched = () => {
      const layer = dense();
      layer.call = (inputs) =>
        tf.tidy(() => tf.softmax((inputs as tf.Tensor[])[0]!.slice([0, 0], [8, 3])));
      return tf.sequential({ layers: [layer, tf.layers.dense({ units: 3 })] });
    };
    const model =
      (...layers: (() => tf.layers.Layer)[]) =>
      () =>
        sequential(...layers.map((make) => make()))();
    const models = [
      model(dense, () => tf.layers.gaussianNoise({ stddev: 1 })),
      model(dense, () => tf.layers.alphaDropout({ rate: 0.5 })),
      model(dense, () => tf.layers.gaussianDropout({ rate: 0.5 })),
      model(
        () => dense(),
        () => new Doubling({}),
      ),
      () => tf.sequential({ layers: [tf.sequential({ layers: [dense(), new Doubling({})] })] }),
      patched,
    ];
    for (const each of models) assert.equal(await graphsOf({ model: each, loss }), 0);
    assert.equal(await graphsOf({ model: models[3]!, loss, graph: true }), 1);
    const noisy = graphsOf({ model: models[0]!, loss, graph: true });
    await assert.rejects(noisy, { code: 'PROGRAM_FAILED', message: /draws random numbers/ });
    const recurrent = (units: number | null) =>
      model(
        () => tf.layers.simpleRNN({ units: 2, inputShape: [units, 5] as never }),
        () => tf.layers.dense({ units: 3, activation: 'softmax' }),
      );
    const sequences = classified(8, [2, 5], 3);
    assert.equal(await graphsOf({ model: recurrent(2), loss }, sequences), 1);
    // Sequences of other lengths would be other graphs.
    assert.equal(await graphsOf({ model: recurrent(null), loss }, sequences), 0);
    const dropping = () =>
      tf.sequential({
        layers: [
          tf.layers.simpleRNN({ units: 2, inputShape: [2, 5], dropout: 0.5 }),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      });
    assert.equal(await graphsOf({ model: dropping, loss }, sequences), 0);
  });

  it('draw dropout anew for every micro-batch, as single operations do', async () => {
    const { batch: examples, ...options } =
      SPECIMENS['dropout, of examples that are random as well']!;
    const [graph, single] = [await opening(options), await opening({ ...options, graph: false })];
    const weights = await graph.initialize(1);
    const first = await gradient(graph, weights, examples);
    for (const at of [{ seed: 2 }, { epoch: 1 }, { step: 1 }, { shard: 1 }]) {
      const other = await gradient(graph, weights, examples, at);
      assert.notDeepEqual(other.gradient, first.gradient);
      const expected = await gradient(single, weights, examples, at);
      assertClose(other.gradient, expected.gradient, 1e-5);
    }
    assert.deepEqual(await gradient(graph, weights, examples), first);
  });

  it('give the same bits at every run, also of sums of three', async () => {
    const computation = await opening({
      model() {
        const squashed = (x: tf.SymbolicTensor) =>
          tf.layers.dense({ units: 8, activation: 'sigmoid' }).apply(x) as tf.SymbolicTensor;
        const x = tf.input({ shape: [5] });
        const [one, other] = [squashed(x), squashed(x)];
        const sum = tf.layers.add().apply([one, other, squashed(one)]);
        return tf.model({ inputs: x, outputs: dense().apply(sum) as tf.SymbolicTensor });
      },
      loss,
    });
    const weights = await computation.initialize(1);
    const first = await gradient(computation, weights, batch);
    for (let run = 0; run < 200; run++)
      assert.deepEqual(await gradient(computation, weights, batch), first);
  });

  it('do not make numbers of what is none', async () => {
    const images = classified(6, [4, 4, 1], 3);
    images.x!.data[20] = Number.NaN;
    for (const activation of ['relu', 'relu6'] as const) {
      const computation = await opening({
        model: () =>
          tf.sequential({
            layers: [
              tf.layers.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 3, activation }),
              tf.layers.flatten(),
              tf.layers.dense({ units: 3, activation: 'softmax' }),
            ],
          }),
        loss,
      });
      const weights = await computation.initialize(1);
      const before = sessions();
      assert.equal((await gradient(computation, weights, images)).lossSum, Number.NaN);
      assert.equal((await computation.evaluate(weights, images)).lossSum, Number.NaN);
      assert.equal(sessions(), before + 2);
    }
  });

  it('add the bias of a separable convolution with a single filter', async () => {
    const options: Options = {
      model: () =>
        tf.sequential({
          layers: [
            tf.layers.separableConv2d({
              inputShape: [2, 3, 1],
              filters: 1,
              kernelSize: 1,
              activation: 'relu',
            }),
            tf.layers.maxPooling2d({ poolSize: [2, 1], strides: [1, 2], padding: 'same' }),
            tf.layers.flatten(),
            tf.layers.dense({ units: 3, activation: 'softmax' }),
          ],
        }),
      loss,
    };
    const [graph, single] = [await opening(options), await opening({ ...options, graph: false })];
    const weights = await graph.initialize(1);
    const images = classified(3, [2, 3, 1], 3);
    const actual = await gradient(graph, weights, images);
    assertClose(actual.gradient, (await gradient(single, weights, images)).gradient, 1e-5);
  });

  it('that a program asks for without being steady are an error that says why, at every pass', async () => {
    let calls = 0;
    const before = sessions();
    const of = (apply: FunctionModel<'kernel'>['apply']): Options => ({
      model: {
        parameters: { kernel: [5, 3] },
        initialize: () => ({ kernel: tf.ones([5, 3]) }),
        apply: (weights, ...rest) => apply(weights, ...rest),
      },
      loss,
      graph: true,
    });
    const product = ({ kernel }: { kernel: tf.Tensor }, { x }: { x?: tf.Tensor }) =>
      x!.matMul(kernel);
    for (const [reason, options] of [
      [/not always do the same/, of((weights, given) => product(weights, given).mul(++calls))],
      [
        /reads values/,
        of((weights, given) => product(weights, given).mul(given.x!.max().dataSync()[0]!)),
      ],
      [
        /draws random/,
        of((weights, given, { random }) => product(weights, given).mul(random.next())),
      ],
    ] as const) {
      const computation = await opening(options);
      const weights = await computation.initialize(1);
      const expected = { code: 'PROGRAM_FAILED', message: reason };
      for (let pass = 0; pass < 2; pass++) {
        await assert.rejects(gradient(computation, weights, batch), expected);
        await assert.rejects(async () => computation.evaluate(weights, batch), expected);
      }
      assert.equal(sessions(), before);
    }
  });

  it('that a program asks for with operations that no graph has change nothing in its gradients', async () => {
    const curved: FunctionModel<'kernel'> = {
      ...apply,
      apply: ({ kernel }, { x }) => x!.matMul(kernel).cosh().softmax(),
    };
    const [asked, single] = [
      await opening({ model: curved, loss, graph: true }),
      await opening({ model: curved, loss, graph: false }),
    ];
    const weights = await asked.initialize(1);
    const before = sessions();
    assert.deepEqual(await gradient(asked, weights, batch), await gradient(single, weights, batch));
    assert.deepEqual(await asked.evaluate(weights, batch), await single.evaluate(weights, batch));
    assert.equal(sessions(), before);
  });

  it('are one for each number of examples, also where there are more than are kept', async () => {
    const [graph, single] = [
      await opening({ model: plain, loss }),
      await opening({ model: plain, loss, graph: false }),
    ];
    const weights = await graph.initialize(1);
    const before = sessions();
    const counts = Array.from({ length: 20 }, (_, i) => i + 1);
    const first = [];
    for (const n of counts) first.push(await gradient(graph, weights, classified(n, [5], 3)));
    assert.equal(sessions() - before, 16);
    for (const [at, n] of counts.entries()) {
      const examples = classified(n, [5], 3);
      assert.deepEqual(await gradient(graph, weights, examples), first[at]);
      assertClose(first[at]!.gradient, (await gradient(single, weights, examples)).gradient, 1e-5);
    }
    assert.equal(sessions() - before, 16);
  });

  it('tell two fields from one that is given twice', async () => {
    let twice = true;
    const difference: FunctionModel<'a'> = {
      parameters: { a: [5] },
      initialize: () => ({ a: tf.ones([5]) }),
      apply: ({ a }, { x, y }) => x!.mul(a).sub(y!),
    };
    const computation = await opening({
      graph: true,
      model: difference,
      loss: (_yTrue, yPred) => yPred.sum(1),
      augment: ({ x }) => ({ x: x!, y: twice ? x! : x!.mul(2) }),
    });
    const weights = await computation.initialize(1);
    const before = sessions();
    const loss = async () => (await gradient(computation, weights, batch)).lossSum;
    assert.equal(await loss(), 0);
    twice = false;
    const sum = [...batch.x!.data].reduce((total, each) => total + each, 0);
    assert.ok(Math.abs((await loss()) + sum) < 1e-4);
    assert.equal(sessions() - before, 2);
  });

  it('check labels and indices as single operations do', async () => {
    const classifier = await opening({ model: plain, loss });
    const weights = await classifier.initialize(1);
    await gradient(classifier, weights, batch);
    const wrong: Batch = {
      ...batch,
      y: { data: Int32Array.of(0, 1, 2, 3, 0, 0, 0, 0), shape: [8] },
    };
    await assert.rejects(gradient(classifier, weights, wrong), { code: 'BAD_DATA' });
    await gradient(classifier, weights, batch);
    const evaluating = async (examples: Batch) => classifier.evaluate(weights, examples);
    await assert.rejects(evaluating(wrong), { code: 'BAD_DATA' });
    await evaluating(batch);
    await assert.rejects(evaluating(wrong), { code: 'BAD_DATA' });

    const { batch: words, ...recurrent } = SPECIMENS['a masked LSTM']!;
    const reader = await opening(recurrent);
    const values = await reader.initialize(1);
    const unknown: Batch = {
      ...words,
      x: { data: words.x!.data.map((each) => each + 5), shape: [4, 6] },
    };
    await assert.rejects(gradient(reader, values, unknown), /11/);
    await gradient(reader, values, words);
    await assert.rejects(gradient(reader, values, unknown), /11/);
  });

  it('keep no memory', async () => {
    const computation = await opening({ model: smallConvNet, loss, metrics: ['accuracy'] });
    const images = classified(6, [12, 12, 1], 5);
    const weights = await computation.initialize(1);
    await gradient(computation, weights, images);
    await computation.evaluate(weights, images);
    const { numTensors } = tf.memory();
    const backend = tf.backend() as unknown as { getNumOfTFTensors(): number };
    const handles = backend.getNumOfTFTensors();
    for (let step = 0; step < 50; step++) {
      await gradient(computation, weights, images);
      await computation.evaluate(weights, images);
    }
    assert.equal(tf.memory().numTensors, numTensors);
    assert.equal(backend.getNumOfTFTensors(), handles);
  });
});
