import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { assertClose, gradient, open } from '../testing.js';
import { tf } from '../tf.js';

const { layers } = tf;
const STEPS = 6;
const batch: Batch = {
  x: {
    data: Float32Array.from([1, 2, 0, 0, 3, 4, 0, 0, 0, 5, 6, 1]),
    shape: [2, STEPS],
  },
  words: {
    data: Float32Array.from([1, 2, 0, 0, 3, 4, 0, 0, 0, 5, 6, 1]),
    shape: [2, STEPS],
  },
  series: { data: Float32Array.from({ length: 12 }, (_, at) => at / 12), shape: [2, STEPS, 1] },
  y: { data: Float32Array.from([1, -1]), shape: [2] },
};

const embedding = (maskZero = true) =>
  layers.embedding({ inputDim: 7, outputDim: 3, inputLength: STEPS, maskZero });
const ends = () => [layers.gru({ units: 2, name: 'reader' }), layers.dense({ units: 1 })];
const all = () => layers.masking({ maskValue: 1e30 });
const sequential = (make: () => tf.layers.Layer[]) => () => tf.sequential({ layers: make() });

/** Gradient and loss of a model, both as one operation after the other and as a graph. */
async function trained(model: () => tf.LayersModel) {
  const results = [];
  for (const graph of [false, undefined]) {
    const computation = await open({
      model,
      loss: 'meanSquaredError',
      ...(graph === undefined ? {} : { graph }),
    });
    const weights = await computation.initialize(1);
    results.push({ weights, ...(await gradient(computation, weights, batch)) });
    await computation.close?.();
  }
  assertClose(results[1]!.gradient, results[0]!.gradient, 1e-4);
  return results[0]!;
}

describe('layers that compare', () => {
  for (const [name, make] of Object.entries({
    masking: () => layers.masking({ maskValue: 0 }),
    thresholdedReLU: () => layers.thresholdedReLU({ theta: 0 }),
  }))
    it(`are trained behind other weights: ${name}`, async () => {
      const model = (between: () => tf.layers.Layer) =>
        sequential(() => [embedding(false), layers.dense({ units: 2 }), between(), ...ends()]);
      // The same function: no step of the dense layer is wholly 0.
      const same = name === 'masking' ? layers.dropout({ rate: 0 }) : layers.reLU();
      const [with_, without] = [await trained(model(make)), await trained(model(() => same))];
      assert.equal(with_.lossSum, without.lossSum);
      assertClose(with_.gradient, without.gradient, 1e-6);
    });
});

describe('a mask is that of what a layer reads:', () => {
  const OF_OTHERS: Record<string, () => tf.LayersModel> = {
    'behind a layer that makes other steps': sequential(() => [
      embedding(),
      layers.conv1d({ filters: 3, kernelSize: 2 }),
      ...ends(),
    ]),
    'of a decoder, whose encoder had one': sequential(() => [
      embedding(),
      layers.lstm({ units: 2 }),
      layers.repeatVector({ n: STEPS }),
      ...ends(),
    ]),
    'of other inputs'() {
      const words = tf.input({ shape: [STEPS], name: 'words' });
      const series = tf.input({ shape: [STEPS, 1], name: 'series' });
      const text = layers.lstm({ units: 2 }).apply(embedding().apply(words)) as tf.SymbolicTensor;
      const [reader, last] = ends();
      const numbers = reader!.apply(series) as tf.SymbolicTensor;
      const outputs = last!.apply(layers.concatenate().apply([numbers, text]));
      return tf.model({ inputs: [words, series], outputs: outputs as tf.SymbolicTensor });
    },
  };
  for (const [where, model] of Object.entries(OF_OTHERS))
    it(`refused where it is that of others, ${where}`, () =>
      assert.rejects(trained(model), {
        code: 'BAD_PROGRAM',
        message: /^Layer "reader" \(GRU\) is given the mask of other values/,
        remedy: /^Put tf\.layers\.masking\(\{ maskValue \}\) right before it/,
      }));

  it('refused where merging makes one of another shape', () => {
    const model = () => {
      const input = tf.input({ shape: [STEPS] });
      const words = embedding().apply(input) as tf.SymbolicTensor;
      const twice = layers.add().apply([words, words]);
      const outputs = ends().reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, twice);
      return tf.model({ inputs: input, outputs: outputs as tf.SymbolicTensor });
    };
    return assert.rejects(trained(model), /"reader" \(GRU\) is given the mask \[1, 2, 6\] for/);
  });

  it('refused where each step would get that of all', () => {
    const steps = () => [
      embedding(),
      layers.reshape({ targetShape: [3, 2, 3] }),
      layers.masking(),
      layers.timeDistributed({ layer: layers.gru({ units: 2 }), name: 'each' }),
      layers.flatten(),
      layers.dense({ units: 1 }),
    ];
    return assert.rejects(trained(sequential(steps)), /"each" \(TimeDistributed\) .* at each of/);
  });

  it('refused by a softmax, which adds it to other places', () => {
    const model = sequential(() => [
      embedding(),
      layers.softmax({ name: 'odds' }),
      layers.flatten(),
    ]);
    return assert.rejects(trained(model), /"odds" \(Softmax\) is given the mask \[2, 6\] for/);
  });

  it('taken from a layer of single numbers, and from a model within the model', async () => {
    const [plain, between, within] = [
      await trained(sequential(() => [embedding(), ...ends()])),
      await trained(sequential(() => [embedding(), layers.leakyReLU({ alpha: 1 }), ...ends()])),
      await trained(() => {
        const inner = tf.sequential({ layers: [embedding()] });
        return tf.sequential({ layers: [inner, ...ends()] });
      }),
    ];
    assertClose(between!.gradient, plain!.gradient, 1e-6);
    assert.equal(within!.lossSum, plain!.lossSum);
  });

  it('of everything behind masking of what does not occur, as the remedy says', async () => {
    const convolution = () => layers.conv1d({ filters: 3, kernelSize: 2, name: 'convolution' });
    const unmasked = await trained(sequential(() => [embedding(false), convolution(), ...ends()]));
    const remedied = await trained(
      sequential(() => [embedding(), convolution(), all(), ...ends()]),
    );
    assert.equal(remedied.lossSum, unmasked.lossSum);
    assertClose(remedied.gradient, unmasked.gradient, 1e-6);
  });
});

describe('an initial state', () => {
  const stacked = (own: boolean) => () => {
    const input = tf.input({ shape: [STEPS] });
    const words = embedding(false).apply(input) as tf.SymbolicTensor;
    const states = (layer: tf.layers.Layer) => (layer.apply(words) as tf.SymbolicTensor[]).slice(1);
    const encoders = [1, 2].map(() => states(layers.lstm({ units: 2, returnState: true })));
    const decode = (x: tf.SymbolicTensor, state: tf.SymbolicTensor[] | undefined, last: boolean) =>
      layers
        .lstm({ units: 2, returnSequences: !last })
        .apply(x, state && { initialState: state }) as tf.SymbolicTensor;
    const first = decode(words, encoders[0], false);
    const second = decode(first, own ? encoders[1] : undefined, true);
    const outputs = layers.dense({ units: 1 }).apply(second) as tf.SymbolicTensor;
    return tf.model({ inputs: input, outputs });
  };

  it('is that of the layer that is given it alone, in a stack of them', async () => {
    const [own, none] = [await trained(stacked(true)), await trained(stacked(false))];
    const norm = ({ gradient: of }: typeof own, name: string) => Math.hypot(...of[name]!);
    for (const encoder of ['lstm_1/kernel', 'lstm_2/kernel']) assert.ok(norm(own, encoder) > 0);
    assert.ok([1, 2].some((at) => norm(none, `lstm_${at}/kernel`) > 0));
  });
});
