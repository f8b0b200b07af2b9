import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { assertFiniteDifferences, classified, gradient, open } from '../testing.js';
import { tf } from '../tf.js';

const batch = classified(16, [5], 3);
const loss = 'sparseCategoricalCrossentropy';
const output = () => tf.layers.dense({ units: 3, activation: 'softmax' });

const withDropout = () =>
  tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [5], units: 32, activation: 'relu' }),
      tf.layers.dropout({ rate: 0.5 }),
      tf.layers.gaussianNoise({ stddev: 0.1 }),
      output(),
    ],
  });

describe('random layers', () => {
  it('follow from (seed, epoch, step, shard) alone', async () => {
    const [one, two] = [
      await open({ model: withDropout, loss }),
      await open({ model: withDropout, loss }),
    ];
    const weights = await one!.initialize(1);
    const first = await gradient(one!, weights, batch, { seed: 7, epoch: 1, step: 2, shard: 3 });
    for (const other of [{ seed: 8 }, { epoch: 2 }, { step: 3 }, { shard: 4 }]) {
      const at = { seed: 7, epoch: 1, step: 2, shard: 3, ...other };
      assert.notDeepEqual((await gradient(one!, weights, batch, at)).gradient, first.gradient);
    }
    const again = { seed: 7, epoch: 1, step: 2, shard: 3 };
    assert.deepEqual(await gradient(two!, weights, batch, again), first);
  });

  it('do nothing in evaluation', async () => {
    const computation = await open({ model: withDropout, loss });
    const weights = await computation.initialize(1);
    assert.deepEqual(
      await computation.evaluate(weights, batch),
      await computation.evaluate(weights, batch),
    );
  });
});

describe('a final softmax', () => {
  const sequential = () =>
    tf.sequential({
      layers: [tf.layers.dense({ inputShape: [5], units: 3, activation: 'softmax' })],
    });
  const functional = () => {
    const input = tf.input({ shape: [5] });
    return tf.model({ inputs: input, outputs: output().apply(input) as tf.SymbolicTensor });
  };
  /** The same layer belongs to another model, too. */
  const shared = () => {
    const input = tf.input({ shape: [5] });
    const layer = output();
    const other = tf.input({ shape: [5] });
    tf.model({ inputs: other, outputs: layer.apply(other) as tf.SymbolicTensor });
    return tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
  };

  for (const [name, model] of Object.entries({ sequential, functional, shared }))
    it(`is left out of the loss: ${name}`, async () => {
      const computation = await open({ model, loss });
      const weights = await computation.initialize(1);
      const [kernel, bias] = ['dense_1/kernel', 'dense_1/bias'].map((each) => weights[each]!);
      kernel!.fill(0);
      bias!.set([200, 0, 0]);
      // The probability of class 1 is 0 in float32, so its logarithm comes from the logits.
      const x = { data: new Float32Array(5), shape: [1, 5] };
      const y = { data: Int32Array.of(1), shape: [1] };
      assert.equal((await gradient(computation, weights, { x, y })).lossSum, 200);
    });
});

describe('augment', () => {
  const model = () =>
    tf.sequential({
      layers: [tf.layers.dense({ inputShape: [5], units: 3, activation: 'softmax' })],
    });

  it('makes no other number of examples', async () => {
    const computation = await open({
      model,
      loss,
      augment: ({ x, y }) => ({ x: tf.concat([x!, x!]), y: y! }),
    });
    await assert.rejects(
      async () => gradient(computation, await computation.initialize(1), batch),
      { message: '`augment` made [32, 5] of the 16 examples of field "x"' },
    );
  });

  it('follows from (seed, epoch, step, shard) alone, and is left out in evaluation', async () => {
    const computation = await open({
      model,
      loss,
      augment: ({ x, y }, random) => ({
        x: x!.mul(random.next()).add(tf.randomNormal([16, 5])),
        y: y!,
      }),
    });
    const plain = await open({ model, loss });
    const weights = await computation.initialize(1);
    const first = await gradient(computation, weights, batch);
    assert.deepEqual(await gradient(computation, weights, batch), first);
    const other = await gradient(computation, weights, batch, { step: 1 });
    assert.notDeepEqual(other.gradient, first.gradient);
    assert.deepEqual(
      await computation.evaluate(weights, batch),
      await plain.evaluate(weights, batch),
    );
  });
});

describe('initialize', () => {
  it('follows from the seed alone', async () => {
    const computation = await open({ model: withDropout, loss });
    const first = await computation.initialize(1);
    assert.notDeepEqual(await computation.initialize(2), first);
    assert.deepEqual(await computation.initialize(1), first);
    assert.deepEqual(await (await open({ model: withDropout, loss })).initialize(1), first);
  });

  it('refuses weights that every process would draw for itself', async () => {
    const one = withDropout();
    const head = output();
    const shared = () => {
      const input = tf.input({ shape: [5] });
      return tf.model({ inputs: input, outputs: head.apply(input) as tf.SymbolicTensor });
    };
    for (const model of [() => one, shared]) {
      const computation = await open({ model, loss });
      await assert.rejects(async () => computation.initialize(1), {
        code: 'BAD_PROGRAM',
        message: /^Weight "dense_1\/kernel" was made outside of `model`/,
        remedy: /Make its layer inside the function/,
      });
      computation.close?.();
    }
  });
});

describe('batch normalisation', () => {
  const model = () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [5], units: 4 }),
        tf.layers.batchNormalization({ momentum: 0.9 }),
        tf.layers.activation({ activation: 'tanh' }),
        output(),
      ],
    });

  it('moves its moments by what each example makes of them', async () => {
    const computation = await open({ model, loss });
    const names = ['moving_mean', 'moving_variance'].map((each) => `batch_normalization_1/${each}`);
    assert.deepEqual(
      computation.parameters.filter(({ update }) => update === 'average').map(({ name }) => name),
      names,
    );
    const weights = await computation.initialize(1);
    const { gradient: sum, count } = await gradient(computation, weights, batch);
    const moments = tf.tidy(() => {
      const hidden = tf
        .matMul(
          tf.tensor2d(batch.x!.data as Float32Array, [16, 5]),
          tf.tensor2d(weights['dense_1/kernel']!, [5, 4]),
        )
        .add(tf.tensor1d(weights['dense_1/bias']!));
      const { mean, variance } = tf.moments(hidden, 0);
      return [mean, variance];
    });
    moments.forEach((moment, at) => {
      const name = names[at]!;
      moment.dataSync().forEach((value, i) => {
        const before = weights[name]![i]!;
        const moved = before + sum[name]![i]! / count;
        assert.ok(Math.abs(moved - (0.9 * before + 0.1 * value)) < 1e-5, `${name}[${i}] ${moved}`);
      });
    });
    tf.dispose(moments);
  });

  it('has the gradients of its batch moments, and evaluates with the moving ones', async () => {
    const computation = await open({ model, loss });
    const weights = await computation.initialize(1);
    await assertFiniteDifferences(computation, weights, batch);
    const trained = await gradient(computation, weights, batch);
    assert.notEqual((await computation.evaluate(weights, batch)).lossSum, trained.lossSum);
    const before = tf.memory().numTensors;
    await gradient(computation, weights, batch);
    assert.equal(tf.memory().numTensors, before);
  });
});

describe('layers models', () => {
  it('store no frozen weights: they keep what the model makes of the seed of the program', async () => {
    const model = (trainable: boolean) => () =>
      tf.sequential({
        layers: [tf.layers.dense({ inputShape: [5], units: 4, trainable }), output()],
      });
    const frozen = await open({ model: model(false), loss, seed: 3 });
    const trained = await open({ model: model(true), loss, seed: 3 });
    assert.deepEqual(
      frozen.parameters.map(({ name, update }) => [name, update]),
      [
        ['dense_2/kernel', 'gradient'],
        ['dense_2/bias', 'gradient'],
      ],
    );
    const first = await trained.initialize(3);
    const { 'dense_2/kernel': kernel, 'dense_2/bias': bias } = await trained.initialize(8);
    const weights = { 'dense_2/kernel': kernel!, 'dense_2/bias': bias! };
    assert.deepEqual(await frozen.initialize(8), weights);
    const got = await gradient(frozen, weights, batch);
    const expected = await gradient(trained, { ...first, ...weights }, batch);
    assert.equal(got.lossSum, expected.lossSum);
    for (const [name, values] of Object.entries(got.gradient))
      assert.deepEqual(values, expected.gradient[name]);
  });

  it('read the fields that their inputs are called after', async () => {
    const model = () => {
      const left = tf.input({ shape: [5], name: 'left' });
      const right = tf.input({ shape: [2] });
      const joined = tf.layers.concatenate().apply([left, right]) as tf.SymbolicTensor;
      return tf.model({
        inputs: [left, right],
        outputs: output().apply(joined) as tf.SymbolicTensor,
      });
    };
    const computation = await open({ model, loss });
    const weights = await computation.initialize(1);
    const fields: Batch = {
      left: batch.x!,
      input_1: { data: new Float32Array(32).fill(0.5), shape: [16, 2] },
      y: batch.y!,
    };
    await assertFiniteDifferences(computation, weights, fields);
    await assert.rejects(
      gradient(computation, weights, batch),
      /reads the field "left", but the dataset gives "x", "y"/,
    );
  });

  it('read each field where its name says, in whatever order inputs are used', async () => {
    // f is 2x and g is 3x, so the sum tells which field was read where.
    for (const [first, second] of [
      ['input_1', 'input_2'],
      ['input1', 'input2'],
      [undefined, undefined],
    ]) {
      const model = () => {
        const named = (name?: string) => tf.input({ shape: [1], ...(name ? { name } : {}) });
        const inputs = [named(first), named(second)];
        const times = (value: number, input?: tf.SymbolicTensor) =>
          tf.layers
            .dense({
              units: 1,
              useBias: false,
              kernelInitializer: tf.initializers.constant({ value }),
            })
            .apply(input!) as tf.SymbolicTensor;
        const outputs = tf.layers
          .add()
          .apply([times(2, inputs[1]), times(3, inputs[0])]) as tf.SymbolicTensor;
        return tf.model({ inputs, outputs });
      };
      const computation = await open({ model, loss: (_yTrue, yPred) => yPred.flatten() });
      const weights = await computation.initialize(1);
      const fields: Batch = {
        [first ?? 'input_1']: { data: Float32Array.of(10), shape: [1, 1] },
        [second ?? 'input_2']: { data: Float32Array.of(1), shape: [1, 1] },
      };
      assert.equal((await computation.evaluate(weights, fields)).lossSum, 32);
    }
  });

  it('have the same names however often something was built before', async () => {
    const model = () =>
      tf.sequential({
        layers: [
          tf.sequential({
            name: 'sequential_1',
            layers: [tf.layers.dense({ units: 4, inputShape: [5] })],
          }),
          tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [4] })] }),
          tf.layers.dense({ units: 4, name: 'dense_1' }),
          output(),
        ],
      });
    for (let round = 0; round < 3; round++) {
      const { parameters } = await open({ model, loss });
      assert.deepEqual(
        parameters.map(({ name }) => name).filter((name) => name.endsWith('kernel')),
        [
          'sequential_1/dense_1/kernel',
          'sequential_2/dense_1/kernel',
          'dense_1/kernel',
          'dense_2/kernel',
        ],
      );
    }
  });

  it('refuse examples of another shape than their inputShape', async () => {
    const model = () =>
      tf.sequential({ layers: [tf.layers.flatten({ inputShape: [7, 1] }), output()] });
    const computation = await open({ model, loss });
    const weights = await computation.initialize(1);
    const expected = {
      code: 'PROGRAM_FAILED',
      message: 'The model reads "x" as [7, 1], but an example of the dataset is [5]',
      remedy: /inputShape: \[5\]/,
    };
    await assert.rejects(gradient(computation, weights, batch), expected);
    await assert.rejects(async () => computation.evaluate(weights, batch), expected);

    const anyLength = () =>
      tf.sequential({
        layers: [tf.layers.globalMaxPooling1d({ inputShape: [null, 5] }), output()],
      });
    const sequences = classified(16, [8, 5], 3);
    const unbound = await open({ model: anyLength, loss });
    await gradient(unbound, await unbound.initialize(1), sequences);
  });

  it('are refused if their function throws, as what it is', async () => {
    const model = () => tf.sequential({ layers: [tf.layers.dense({ units: 3 })] });
    await assert.rejects(async () => open({ model, loss }), {
      code: 'PROGRAM_FAILED',
      message: /^The program threw in model\(\): The first layer .* `inputShape`/,
    });
  });

  it('do not compute the gradient of the images', async () => {
    for (const activation of ['relu', 'linear', 'tanh'] as const) {
      const computation = await open({
        model: () =>
          tf.sequential({
            layers: [
              tf.layers.conv2d({ inputShape: [6, 6, 1], filters: 2, kernelSize: 3, activation }),
              tf.layers.flatten(),
              output(),
            ],
          }),
        loss,
      });
      const weights = await computation.initialize(1);
      const backend = tf.backend() as unknown as {
        executeSingleOutput: (name: string, ...rest: unknown[]) => unknown;
      };
      const original = backend.executeSingleOutput;
      const called = new Set<string>();
      backend.executeSingleOutput = function (name, ...rest) {
        called.add(name);
        return original.call(this, name, ...rest);
      };
      try {
        await gradient(computation, weights, classified(4, [6, 6, 1], 3));
      } finally {
        // It is on the prototype.
        delete (backend as Partial<typeof backend>).executeSingleOutput;
      }
      assert.ok(called.has('Conv2DBackpropFilter'));
      assert.ok(!called.has('Conv2DBackpropInput'), activation);
    }
  });

  it('refuse what cannot be trained exactly', async () => {
    const dense = (options: object) => () =>
      tf.sequential({ layers: [tf.layers.dense({ inputShape: [5], units: 3, ...options })] });
    const cases: [() => tf.LayersModel, RegExp][] = [
      [dense({ kernelConstraint: 'nonNeg' }), /"dense_1\/kernel" has a constraint/],
      [
        () =>
          tf.sequential({
            layers: [tf.layers.lstm({ batchInputShape: [2, 3, 5], units: 3, stateful: true })],
          }),
        /stateful/,
      ],
      ...[
        tf.layers.depthwiseConv2d,
        (options: object) => tf.layers.conv2dTranspose({ filters: 2, kernelSize: 2, ...options }),
      ].map((make): [() => tf.LayersModel, RegExp] => [
        () =>
          tf.sequential({
            layers: [
              make({ inputShape: [6, 6, 2], kernelSize: 2, dilationRate: [1, 2], name: 'wide' }),
            ],
          }),
        /^TuttiError: Layer "wide" \(.*\) has the dilationRate \[1, 2\], which tfjs passes over/,
      ]),
      [
        () =>
          tf.sequential({
            layers: [
              tf.layers.separableConv2d({
                inputShape: [2, 5, 5],
                filters: 4,
                kernelSize: 2,
                dataFormat: 'channelsFirst',
              }),
            ],
          }),
        /\(SeparableConv2D\) has its channels first, and tfjs adds its bias along another/,
      ],
      [() => Promise.resolve() as never, /did not return a tf.LayersModel/],
      [() => tf.sequential(), /not built/],
      [
        () => {
          const input = tf.input({ shape: [5] });
          const outputs = [output(), output()].map(
            (layer) => layer.apply(input) as tf.SymbolicTensor,
          );
          return tf.model({ inputs: input, outputs });
        },
        /outputs "dense_1", "dense_2", and one loss/,
      ],
    ];
    for (const [model, expected] of cases)
      await assert.rejects(async () => open({ model, loss }), expected);
  });
});
