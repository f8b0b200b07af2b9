import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import type { ParameterValues } from '@tutti/worker';
import type { FunctionModel } from '../model/function-model.js';
import { assertClose, gradient, open } from '../testing.js';
import { tf } from '../tf.js';

const N = 12;
const random = createRandom('objective');
const floats = (length: number) => Float32Array.from({ length }, () => 4 * random.next() - 2);
const numbers = (length: number, below: number) =>
  Int32Array.from({ length }, () => random.below(below));

const batch: Batch = {
  size: { data: floats(N), shape: [N, 1] },
  colour: { data: floats(3 * N), shape: [N, 3] },
  kind: { data: numbers(N, 4), shape: [N] },
  price: { data: floats(N), shape: [N, 1] },
  odd: { data: numbers(N, 2), shape: [N] },
  weight: { data: floats(N).map(Math.abs), shape: [N, 1] },
};

/** Two inputs, of which the second is named first; three outputs. */
const functional = () => {
  const colour = tf.input({ shape: [3], name: 'colour' });
  const size = tf.input({ shape: [1], name: 'size' });
  const joined = tf.layers.concatenate().apply([size, colour]) as tf.SymbolicTensor;
  const hidden = tf.layers
    .dense({ units: 6, activation: 'tanh', name: 'hidden' })
    .apply(joined) as tf.SymbolicTensor;
  const output = (name: string, units: number, activation: 'softmax' | 'linear' | 'sigmoid') =>
    tf.layers.dense({ units, activation, name }).apply(hidden) as tf.SymbolicTensor;
  return tf.model({
    inputs: [colour, size],
    outputs: [
      output('kind', 4, 'softmax'),
      output('price', 1, 'linear'),
      output('odd', 1, 'sigmoid'),
    ],
  });
};

const three = {
  price: 'meanSquaredError',
  kind: 'sparseCategoricalCrossentropy',
  odd: 'binaryCrossentropy',
} as const;

/** A model of tfjs with these weights, by our names. */
function withWeights(model: tf.LayersModel, weights: ParameterValues): tf.LayersModel {
  for (const layer of model.layers) {
    const own = Object.entries(weights).filter(([name]) => name.startsWith(`${layer.name}/`));
    if (own.length > 0)
      layer.setWeights(
        layer.getWeights().map((tensor, at) => tf.tensor(own[at]![1], tensor.shape as number[])),
      );
  }
  return model;
}

const tensorOf = (name: string) => {
  const { data, shape } = batch[name]!;
  return tf.tensor(data, shape.length === 1 ? [N, 1] : [...shape], 'float32');
};

/** The weights after one step of tfjs, with sgd at rate 1, as a gradient of the sum. */
async function stepOfTfjs(
  model: tf.LayersModel,
  weights: ParameterValues,
  fit: () => Promise<unknown>,
): Promise<ParameterValues> {
  await fit();
  const after = model.layers.flatMap((layer) => layer.getWeights());
  return Object.fromEntries(
    Object.entries(weights).map(([name, before], at) => {
      const values = after[at]!.dataSync();
      return [name, before.map((value, i) => (value - values[i]!) * N)];
    }),
  );
}

describe('several outputs', () => {
  for (const accelerate of [false, true])
    it(`have the losses, metrics and gradients of tfjs${accelerate ? ', accelerated' : ''}`, async () => {
      const computation = await open({
        model: functional,
        loss: three,
        metrics: { kind: ['accuracy'], odd: ['accuracy'], price: ['meanAbsoluteError'] },
        accelerate,
      });
      const weights = await computation.initialize(3);
      const model = withWeights(functional(), weights);
      model.compile({
        optimizer: tf.train.sgd(1),
        loss: three as never,
        metrics: { kind: 'accuracy', odd: 'accuracy', price: 'mae' } as never,
      });
      const inputs = [tensorOf('colour'), tensorOf('size')];
      const labels = ['kind', 'price', 'odd'].map(tensorOf);
      // Before the metrics come the losses, each with those of the outputs before it.
      const expected = (model.evaluate(inputs, labels, { batchSize: N }) as tf.Scalar[])
        .slice(2)
        .map((scalar) => scalar.dataSync()[0]!);
      const { lossSum, metrics = {} } = await computation.evaluate(weights, batch);
      const ours = {
        kind_acc: 'kind_accuracy',
        odd_acc: 'odd_accuracy',
        price_mae: 'price_meanAbsoluteError',
      };
      const found: Record<string, number> = { loss: lossSum, ...metrics };
      model.metricsNames.forEach((name, at) => {
        const sum = found[(ours as Record<string, string>)[name] ?? name]!;
        assert.ok(Math.abs(sum / N - expected[at]!) < 1e-5, `${name}: ${sum / N}, ${expected[at]}`);
      });
      assert.equal(model.metricsNames.length, Object.keys(found).length);
      const { gradient: found1, metrics: told } = await gradient(computation, weights, batch);
      assert.deepEqual(told, metrics);
      const step = await stepOfTfjs(model, weights, () => model.trainOnBatch(inputs, labels));
      assertClose(found1, step, 1e-4);
      await computation.close?.();
    });

  it('count as lossWeights says', async () => {
    const of = async (lossWeights?: Record<string, number>) => {
      const computation = await open({
        model: functional,
        loss: three,
        ...(lossWeights && { lossWeights }),
      });
      const weights = await computation.initialize(3);
      const result = await gradient(computation, weights, batch);
      await computation.close?.();
      return result;
    };
    const alone = await Promise.all(
      (['kind', 'price', 'odd'] as const).map((name) =>
        of({ kind: 0, price: 0, odd: 0, [name]: 1 }),
      ),
    );
    const all = await of({ kind: 1, price: 0.25, odd: 3 });
    const sum = Object.fromEntries(
      Object.entries(all.gradient).map(([name, values]) => [
        name,
        values.map((_, i) =>
          [1, 0.25, 3].reduce(
            (total, weight, at) => total + weight * alone[at]!.gradient[name]![i]!,
            0,
          ),
        ),
      ]),
    );
    assertClose(all.gradient, sum, 1e-5);
  });

  it('come from a function by their names, too', async () => {
    const model: FunctionModel<'a' | 'b'> = {
      parameters: { a: [3, 1], b: [3, 1] },
      initialize: () => ({ a: [0.1, 0.2, 0.3], b: [0.3, -0.2, 0.1] }),
      apply: ({ a, b }, { colour }) => ({
        sign: colour!.matMul(b).sigmoid(),
        double: colour!.matMul(a).mul(2),
      }),
    };
    const options = {
      loss: { double: 'meanSquaredError', sign: 'binaryCrossentropy' },
      labels: { double: 'price', sign: 'odd' },
    } as const;
    const computation = await open({
      ...options,
      model,
    });
    const weights = await computation.initialize(1);
    const { metrics } = await computation.evaluate(weights, batch);
    const [colour, price] = [batch.colour!.data, batch.price!.data];
    const expected = Array.from({ length: N }, (_, at) => {
      const dot = [0.1, 0.2, 0.3].reduce((sum, each, i) => sum + each * colour[3 * at + i]!, 0);
      return (2 * dot - price[at]!) ** 2;
    }).reduce((a, b) => a + b);
    assert.ok(Math.abs(metrics!.double_loss! - expected) < 1e-4);
    await computation.close?.();
  });

  it('that are misnamed are refused', async () => {
    const cases: [Partial<Parameters<typeof open>[0]>, RegExp][] = [
      [
        { loss: { kind: 'meanSquaredError', prise: 'meanSquaredError' } },
        /loss names the output "prise"/,
      ],
      [
        { loss: { kind: 'sparseCategoricalCrossentropy', odd: 'binaryCrossentropy' } },
        /"price" has no loss/,
      ],
      [{ metrics: ['accuracy'] }, /metrics is given once for the outputs "kind", "price", "odd"/],
      [{ lossWeights: { kind: -1 } }, /lossWeights of "kind" is -1/],
      [{ metrics: { kind: ['acuracy' as never] } }, /no metric "acuracy"/],
    ];
    for (const [options, expected] of cases)
      await assert.rejects(
        async () => open({ model: functional, loss: three, ...options }),
        expected,
      );
  });
});

describe('weights of classes and examples', () => {
  const classifier = (units: number, activation: 'softmax' | 'sigmoid') => () =>
    tf.sequential({
      layers: [tf.layers.dense({ inputShape: [3], units, activation, name: 'only' })],
    });
  const x = batch.colour!;

  for (const [units, loss, field] of [
    [4, 'sparseCategoricalCrossentropy', 'kind'],
    [1, 'binaryCrossentropy', 'odd'],
  ] as const)
    it(`of classes train as those of tfjs, with ${loss}`, async () => {
      const classWeight = { 0: 0.5, 1: 5, ...(units > 1 && { 2: 1, 3: 0 }) };
      const model = classifier(units, units > 1 ? 'softmax' : 'sigmoid');
      const computation = await open({ model, loss, labels: field, classWeight });
      const weights = await computation.initialize(3);
      const { gradient: found, lossSum } = await gradient(computation, weights, { ...batch, x });
      const reference = withWeights(model(), weights);
      reference.compile({ optimizer: tf.train.sgd(1), loss });
      let expected = 0;
      const step = await stepOfTfjs(reference, weights, async () => {
        const { history } = await reference.fit(tensorOf('colour'), tensorOf(field), {
          batchSize: N,
          epochs: 1,
          shuffle: false,
          classWeight,
        });
        expected = history.loss![0] as number;
      });
      assertClose(found, step, 1e-4);
      assert.ok(Math.abs(lossSum / N - expected) < 1e-5);
      // An evaluation counts all alike.
      const { lossSum: evaluated } = await computation.evaluate(weights, { ...batch, x });
      const plain = await open({ model, loss, labels: field });
      assert.equal(evaluated, (await plain.evaluate(weights, { ...batch, x })).lossSum);
      for (const each of [computation, plain]) await each.close?.();
    });

  it('of examples are factors of their losses, while training and evaluating', async () => {
    const model = classifier(4, 'softmax');
    const common = { model, loss: 'sparseCategoricalCrossentropy', labels: 'kind' } as const;
    const [weighed, plain] = [
      await open({ ...common, exampleWeight: 'weight' }),
      await open(common),
    ];
    const weights = await plain.initialize(3);
    const of = (at: number, { data, shape }: Batch[string]) => {
      const size = data.length / N;
      return { data: data.slice(at * size, (at + 1) * size), shape: [1, ...shape.slice(1)] };
    };
    let expected = 0;
    for (let at = 0; at < N; at++) {
      const one = { x: of(at, x), kind: of(at, batch.kind!) };
      const { lossSum } = await plain.evaluate(weights, one);
      expected += lossSum * batch.weight!.data[at]!;
    }
    const { lossSum } = await weighed.evaluate(weights, { ...batch, x });
    assert.ok(Math.abs(lossSum - expected) < 1e-4);
    assert.equal((await gradient(weighed, weights, { ...batch, x })).lossSum, lossSum);
    for (const each of [weighed, plain]) await each.close?.();
  });

  it('that mean nothing are refused', async () => {
    const common = {
      model: classifier(4, 'softmax'),
      loss: 'sparseCategoricalCrossentropy',
      labels: 'kind',
    } as const;
    const cases: [Partial<Parameters<typeof open>[0]>, RegExp][] = [
      [{ classWeight: { 7: 2 } }, /classWeight names class 7, but the model has 4/],
      [{ classWeight: [1, -2] }, /classWeight of class 1 is -2/],
      [{ exampleWeight: 'wait' }, /exampleWeight is the field "wait", but the dataset gives/],
      [{ exampleWeight: 'colour' }, /one number of each example, but "colour" is \[12, 3\]/],
    ];
    for (const [options, expected] of cases)
      await assert.rejects(async () => {
        const computation = await open({ ...common, ...options });
        await computation.gradient(await computation.initialize(1), {
          batch: { ...batch, x },
          epoch: 0,
          step: 0,
          shard: 0,
          random: createRandom(''),
        });
      }, expected);
  });
});

describe('masks', () => {
  const STEPS = 5;
  const lengths = numbers(N, STEPS + 1);
  /** Padded with zeros. */
  const padded: Batch = {
    x: {
      data: Float32Array.from({ length: N * STEPS * 2 }, (_, i) =>
        Math.floor(i / 2) % STEPS < lengths[Math.floor(i / (2 * STEPS))]! ? random.next() + 0.1 : 0,
      ),
      shape: [N, STEPS, 2],
    },
    y: { data: numbers(N * STEPS, 3), shape: [N, STEPS] },
    there: {
      data: Uint8Array.from({ length: N * STEPS }, (_, i) =>
        i % STEPS < lengths[Math.floor(i / STEPS)]! ? 1 : 0,
      ),
      shape: [N, STEPS],
    },
  };
  const tagger = (masking: boolean) => () =>
    tf.sequential({
      layers: [
        ...(masking ? [tf.layers.masking({ inputShape: [STEPS, 2] })] : []),
        tf.layers.simpleRNN({
          units: 4,
          returnSequences: true,
          name: 'recurrent',
          ...(masking ? {} : { inputShape: [STEPS, 2] }),
        }),
        tf.layers.dense({ units: 3, activation: 'softmax', name: 'tags' }),
      ],
    });
  const loss = 'sparseCategoricalCrossentropy';

  /** The mean over what is there of each example, by a loop over what tfjs predicts. */
  function byLoop(weights: ParameterValues): { loss: number; right: number } {
    const predicted = (
      withWeights(tagger(false)(), weights).predict(
        tf.tensor(padded.x!.data, [N, STEPS, 2]),
      ) as tf.Tensor
    ).dataSync();
    let [total, right] = [0, 0];
    for (let example = 0; example < N; example++) {
      const length = lengths[example]!;
      for (let step = 0; step < length; step++) {
        const row = [0, 1, 2].map((k) => predicted[(example * STEPS + step) * 3 + k]!);
        const label = padded.y!.data[example * STEPS + step]!;
        total -= Math.log(row[label]!) / length;
        right += (row.indexOf(Math.max(...row)) === label ? 1 : 0) / length;
      }
    }
    return { loss: total, right };
  }

  for (const [masking, mask] of [
    [true, undefined],
    [false, 'there'],
    [true, 'there'],
  ] as const)
    it(`leave out what is not there: ${masking ? 'of a layer' : ''} ${mask ? 'of a field' : ''}`, async () => {
      const computation = await open({
        model: tagger(masking),
        loss,
        metrics: ['accuracy', 'perplexity'],
        ...(mask && { mask }),
      });
      const weights = await computation.initialize(2);
      const expected = byLoop(weights);
      const found = await gradient(computation, weights, padded);
      assert.ok(Math.abs(found.lossSum - expected.loss) < 1e-4);
      assert.ok(Math.abs(found.metrics!.accuracy! - expected.right) < 1e-5);
      assert.equal(
        found.metrics!['perplexity/under'],
        lengths.reduce((a, b) => a + b),
      );
      // What is not there has no part in the gradient.
      const labels = padded.y!.data.map((label, i) =>
        padded.there!.data[i] === 1 ? label : (label + 1) % 3,
      ) as Int32Array;
      const others = { ...padded, y: { data: labels, shape: [N, STEPS] } };
      assert.deepEqual((await gradient(computation, weights, others)).gradient, found.gradient);
      await computation.close?.();
    });

  it('of another shape are refused', async () => {
    const computation = await open({ model: tagger(false), loss, mask: 'wide' });
    const weights = await computation.initialize(2);
    const wide = { data: new Uint8Array(padded.x!.data.length).fill(1), shape: padded.x!.shape };
    await assert.rejects(
      async () => computation.evaluate(weights, { ...padded, wide }),
      /The mask is \[12, 5, 2\]/,
    );
    await computation.close?.();
  });

  it('of anything but ones and zeros are refused, with the example', async () => {
    for (const value of [0.5, 255, -1, Number.NaN]) {
      const data = new Float32Array(N * STEPS).fill(1);
      data[STEPS + 1] = value;
      const computation = await open({ model: tagger(false), loss, mask: 'some' });
      const weights = await computation.initialize(2);
      const batch = { ...padded, some: { data, shape: [N, STEPS] } };
      const refused = {
        code: 'BAD_DATA',
        message: `The mask "some" has ${value}`,
        details: { field: 'some', row: 1 },
      };
      await assert.rejects(gradient(computation, weights, batch), refused);
      await computation.close?.();
    }
  });
});
